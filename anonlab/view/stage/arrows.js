// Arrows: one for each present entry of an open table, dotted ones to swap slots. Arrows of tables
// that are not the last one drop into the gap below their row and cross the other tables there.

const LANE_GAP = 4;
const MOVE_MS = 300;

// Remember that an entry points to a frame or to a swap slot; arrowsOf() draws it.
function noteArrow(plan, table, line, entry, sign) {
  const to = entry.present ? String(entry.pfn) : entry.slot >= 0 ? swapKey(entry.slot) : "";
  if (!to) return;
  plan.arrows.push({mm: table.mm, column: table.column, line, entry, sign, to, state: entryState(entry), x: table.x + plan.table - 2});
}

// Return the drawn arrows: entries of one line that go to one place share one.
function arrowsOf(plan) {
  const found = new Map();
  for (const one of plan.arrows) {
    const end = plan.ends.get(one.to);
    const id = `${one.mm} ${one.line.y} ${end ? end.key : one.to} ${one.state}`;
    const known = found.get(id);
    if (known) {
      known.entries.push(one.entry);
      known.sign = known.sign || one.sign;
    } else found.set(id, {...one, end, entries: [one.entry]});
  }
  const arrows = [...found.values()];
  const lastColumn = Math.max(0, ...plan.columns.map((mm, at) => (mm ? at : 0)));
  const lanes = Math.max(1, lastColumn);
  for (const arrow of arrows) placeArrow(plan, arrow, lastColumn, lanes);
  spreadHeads(arrows);
  return arrows;
}

function placeArrow(plan, arrow, lastColumn, lanes) {
  const [first] = arrow.entries;
  arrow.key = `a${slotKey(arrow.mm, first.vpn)}`;
  arrow.slot = slotKey(arrow.mm, first.vpn);
  arrow.x1 = arrow.x;
  arrow.y1 = arrow.line.y;
  arrow.lane = arrow.column < lastColumn;
  arrow.ly = arrow.line.y + plan.pitch / 2 + (arrow.column - (lanes - 1) / 2) * LANE_GAP;
  arrow.xr = plan.columnX(lastColumn) + plan.table + 4;
}

// Heads at one frame stand below each other, in the order of the tables.
function spreadHeads(arrows) {
  const byEnd = new Map();
  for (const arrow of arrows) {
    if (!arrow.end) continue;
    if (!byEnd.has(arrow.end.key)) byEnd.set(arrow.end.key, []);
    byEnd.get(arrow.end.key).push(arrow);
  }
  for (const group of byEnd.values()) {
    group.sort((a, b) => a.column - b.column || a.y1 - b.y1);
    const step = Math.min(13, (group[0].end.height - 10) / Math.max(1, group.length - 1));
    const all = group.reduce((sum, arrow) => sum + arrow.entries.length, 0);
    const together = step < 13 && all > group.length; // no room for a number each: all of them in one
    group.forEach((arrow, at) => {
      arrow.count = !together ? arrow.entries.length : at ? 0 : all;
      arrow.x2 = arrow.end.x;
      arrow.y2 = arrow.end.y + (at - (group.length - 1) / 2) * step;
    });
  }
}

function arrowPath(arrow) {
  const [x1, y1, y2, xr, ly] = [arrow.x1, arrow.y1, arrow.y2, arrow.xr, arrow.ly].map(px);
  const end = px(arrow.x2 - 9);
  const bend = px(Math.max(14, (arrow.x2 - (arrow.lane ? arrow.xr : arrow.x1)) * 0.5));
  const curve = (x, y) => `C${px(x + bend)} ${y} ${px(end - bend)} ${y2} ${end} ${y2}`;
  if (!arrow.lane) return `M${x1} ${y1}${curve(x1, y1)}`;
  return `M${x1} ${y1}C${px(x1 + 9)} ${y1} ${px(x1 + 3)} ${ly} ${px(x1 + 13)} ${ly}L${xr} ${ly}${curve(xr, ly)}`;
}

const arrowHead = (arrow) => `M${px(arrow.x2)} ${px(arrow.y2)}l-10-5v10z`;

// One group for each entry, so that every arrow can be counted; the first one has the shapes.
function arrowHtml(plan, arrow) {
  if (!arrow.end) return `<g data-missing="${arrow.slot}"></g>`;
  const {state, entries} = arrow;
  const dim = isDimmed(plan, arrow) ? " dim" : "";
  const shapes = `<circle class="port ${state}" cx="${px(arrow.x1 - 5)}" cy="${px(arrow.y1)}" r="4"/>`
    + `<path class="ar ${state}${arrow.sign ? " ch" : ""}" d="${arrowPath(arrow)}"/><path class="hd ${state}" d="${arrowHead(arrow)}"/>`;
  const one = (entry, inside) => {
    const to = entry.present ? `data-to="${entry.pfn}"` : `data-slot="${entry.slot}"`;
    return `<g data-arrow="${slotKey(arrow.mm, entry.vpn)}" ${to}>${inside}</g>`;
  };
  const count = entries.length > 1 ? ` data-count="${entries.length}"` : "";
  return `<g class="arrow${dim}"${count}>${entries.map((entry, at) => one(entry, at ? "" : shapes)).join("")}</g>`;
}

// How many arrows share a path, above its head; drawn last, so that no arrow runs through it.
function countsHtml(arrows) {
  return arrows.filter((arrow) => arrow.count > 1).map((arrow) =>
    textAt(arrow.x2 - 13, arrow.y2 - 6, say("arrow.count", {n: arrow.count}), "count", "end")).join("");
}

// Does the choice leave this arrow out?
function isDimmed(plan, arrow) {
  const {chosen, marks} = plan.options;
  if (!chosen || marks) return false;
  const thing = plan.things.get(chosen);
  if (!thing) return false;
  if (thing.kind === "frame") return !arrow.entries.some((entry) => entry.present && entry.pfn === thing.pfn);
  if (thing.kind === "entry") return arrow.mm !== thing.mm || !arrow.entries.some((entry) => entry.vpn === thing.vpn);
  if (thing.kind === "slot") return !arrow.entries.some((entry) => entry.slot === thing.slot);
  return false;
}

// ---- arrows move -------------------------------------------------------------------------------------

// The movement of arrows from one step to the next: 300 ms; nothing moves for those who asked for that.
class Swing {
  constructor(svg, nodeOf) {
    Object.assign(this, {svg, nodeOf, before: [], moves: [], frame: 0});
  }

  // The arrows stand where they belong now.
  finish() {
    cancelAnimationFrame(this.frame);
    this.moves.forEach(({arrow}) => this.put(arrow));
    this.moves = [];
    delete this.svg.dataset.moving;
  }

  // `arrows` have been drawn. If `move`, let them come from where they were.
  take(arrows, move) {
    const {before} = this;
    this.before = arrows.filter((arrow) => arrow.end);
    if (!move || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    const old = new Map(before.map((arrow) => [arrow.key, arrow]));
    const now = new Set(this.before.map((arrow) => arrow.key));
    for (const arrow of this.before) {
      const from = old.get(arrow.key)
        || before.find((one) => one.mm === arrow.mm && one.to === arrow.to && !now.has(one.key));
      if (!from) this.nodeOf(arrow.key).classList.add("fresh");
      else if (from.x1 !== arrow.x1 || from.y1 !== arrow.y1 || from.y2 !== arrow.y2) this.moves.push({arrow, from});
    }
    if (!this.moves.length) return;
    this.svg.dataset.moving = "1";
    this.start = performance.now();
    this.tick(this.start);
  }

  tick(time) {
    const part = Math.min(1, Math.max(0, (time - this.start) / MOVE_MS));
    const eased = part < 0.5 ? 2 * part * part : 1 - (2 - 2 * part) ** 2 / 2;
    for (const {arrow, from} of this.moves) {
      const between = {...arrow};
      for (const name of ["x1", "y1", "x2", "y2", "ly", "xr"]) between[name] = from[name] + (arrow[name] - from[name]) * eased;
      this.put(between);
    }
    if (part < 1) this.frame = requestAnimationFrame((next) => this.tick(next));
    else this.finish();
  }

  put(arrow) {
    const node = this.nodeOf(arrow.key);
    if (!node) return;
    const [port, path, head] = node.firstElementChild.children;
    port.setAttribute("cx", px(arrow.x1 - 5));
    port.setAttribute("cy", px(arrow.y1));
    path.setAttribute("d", arrowPath(arrow));
    head.setAttribute("d", arrowHead(arrow));
  }
}
