// The tabs under the stage: the reverse map with its walk, the cost so far, the address, processes
// and areas, the text. A lesson names them; an open panel takes its room from the stage.

class Tabs {
  constructor(player) {
    this.player = player;
    const { prefix } = player;
    this.list = node("div", { class: "al-tabs", role: "tablist", "aria-label": say("tabs.name") });
    this.panel = node("div", { class: "al-panel", role: "tabpanel", id: `${prefix}panel`, tabindex: "0", hidden: true });
  }

  load(story) {
    const { prefix } = this.player;
    this.tabs = story.tabs.filter((name) => PANELS[name] && !(name === "rmap" && story.designs.length > 1));
    this.buttons = this.tabs.map((name) => node("button", { type: "button", role: "tab", id: `${prefix}tab-${name}`, "data-tab": name, "aria-selected": "false", tabindex: "-1" }, say(`tab.${name}`)));
    this.list.replaceChildren(...this.buttons);
    this.list.hidden = !this.tabs.length;
  }

  paint(step, now) {
    const open = Boolean(now.tab) && !now.big;
    this.buttons.forEach((button, at) => {
      const chosen = now.tab === this.tabs[at];
      attribute(button, "aria-selected", String(chosen));
      attribute(button, "aria-controls", chosen && open ? this.panel.id : null);
      attribute(button, "tabindex", chosen || (!now.tab && !at) ? "0" : "-1");
    });
    this.panel.hidden = !open;
    if (!open) return;
    attribute(this.panel, "aria-labelledby", `${this.player.prefix}tab-${now.tab}`);
    const markup = PANELS[now.tab](this.player, step, now);
    const focused = this.panel.contains(document.activeElement) ? document.activeElement.dataset.do : "";
    if (fillIn(this.panel, markup) && focused) this.panel.querySelector(`[data-do="${focused}"]`)?.focus({ preventScroll: true });
  }

  // The walk, probe by probe: next, all, again.
  act(name) {
    const { player } = this;
    const { now } = player;
    if (name === "probe" && now.tab !== "rmap") {
      if (!this.tabs.includes("rmap") || now.big) return;
      player.setTab("rmap");
    }
    const walk = player.stage.walk();
    if (!walk) return player.bar.hear(say("walk.choose"));
    const all = walk.probes.length;
    if (name === "probe") now.probe = now.probe >= all ? (now.probe === ALL_PROBES ? 1 : all) : now.probe + 1;
    if (name === "all") now.probe = ALL_PROBES;
    if (name === "again") now.probe = 0;
    return player.paint(false);
  }
}

// ---- the reverse map

function rmapPanel(player, step, now) {
  const { story, stage, room } = player;
  const moment = story.moment(now.i);
  const walk = stage.walk();
  const upto = walk ? Math.min(now.probe, walk.probes.length) : 0;
  const wide = Math.min(520, Math.round((room.width - 60) * (room.narrow ? 0.55 : 0.46)));
  const graph = graphMarkup(story, moment, { width: wide, probed: walk ? walk.probes.slice(0, upto) : [] });
  const right = walk ? walkMarkup(story, walk, upto) : `<h2>${safe(say("walk.title"))}</h2><p>${safe(say("walk.choose"))}</p>`;
  return `<div class="al-columns"><div><h2>${safe(say("graph.title"))}</h2>${graph}</div><div>${right}</div></div>`;
}

function walkMarkup(story, walk, upto) {
  const all = walk.probes.length;
  const rows = walk.probes.map((probe, at) => {
    const how = at < upto ? (probe.hit ? "hit" : "miss") : "wait";
    return `<li data-probe="${at + 1}">${judgedMarkup(how)}<span><b>${story.letter(probe.mm)}</b> ${safe(say("walk.at", { name: story.nameOf(probe.mm), vpn: probe.vpn }))}</span><b class="al-${how}">${safe(say(`walk.${how}`))}</b></li>`;
  });
  const done = upto >= all;
  const said = done ? say("walk.found", { hits: walk.probes.filter((probe) => probe.hit).length, n: all, locks: walk.locks }) : say("walk.marked");
  const act = (name, text, disabled) => `<button type="button" data-do="${name}"${disabled ? ' aria-disabled="true"' : ""}>${safe(text)}</button>`;
  const acts = [act("probe", say("walk.next", { upto, n: all }), done), act("all", say("walk.all")), act("again", say("walk.again"))];
  const title = say("walk.from", { pfn: walk.pfn, via: walk.via || say("walk.chain") });
  return `<h2>${safe(title)}</h2><ol class="al-probes">${rows.join("")}</ol><div class="al-acts">${acts.join("")}</div><p role="status">${safe(said)}</p>`;
}

// ---- the cost so far

// What is drawn, from the counters of a design; all but the bytes only grow.
const COSTS = {
  copied: (cost) => Object.keys(cost).reduce((sum, name) => sum + (name.includes("copie") ? cost[name] : 0), 0),
  probed: (cost) => cost.probes ?? cost.ptes_probed ?? 0,
  vain: (cost) => (cost.probes === undefined ? 0 : cost.probes - (cost.hits || 0)),
  nodes: (cost) => cost.nodes || 0,
  locks: (cost) => cost.locks || 0,
  bytes: (cost) => cost.bytes64 ?? cost.bytes32 ?? 0,
};

function costPanel(player, step, now) {
  const { story } = player;
  const charts = Object.keys(COSTS).map((name) => sparkMarkup(story, name, now.i)).filter(Boolean);
  const many = story.designs.length > 1 ? `<p class="al-small">${story.designs.map((design, track) => `<span class="al-series s${track}">${safe(design)}</span>`).join(" ")}</p>` : "";
  return `<div class="al-sparks">${charts.join("") || `<p>${safe(say("cost.none"))}</p>`}</div>${many}<p>${safe(say("cost.now"))}</p>`;
}

// Return the values of one chart at every step of a track, as long as the story lives.
function costSeries(story, track, name) {
  story.series ??= new Map();
  const id = `${track} ${name}`;
  if (story.series.has(id)) return story.series.get(id);
  const rows = story.counters.map((counter) => [counter, story.costs(track, counter)]);
  const values = Array.from({ length: story.last + 1 }, (_, i) => COSTS[name](Object.fromEntries(rows.map(([counter, all]) => [counter, all[i]]))));
  story.series.set(id, values);
  return values;
}

const SPARK = { width: 196, height: 58 };

function sparkMarkup(story, name, i) {
  const lines = story.designs.map((_, track) => costSeries(story, track, name));
  const most = Math.max(1, ...lines.map((values) => largest(values, i)));
  if (!lines.some((values) => largest(values, story.last))) return "";
  const { width, height } = SPARK;
  const x = (step) => Math.round((4 + (step * (width - 8)) / Math.max(1, story.last)) * 10) / 10;
  const y = (value) => Math.round((height - 6 - (value / most) * (height - 16)) * 10) / 10;
  const path = (values) => {
    let line = `M${x(0)} ${y(values[0])}`;
    for (let step = 1, before = values[0]; step <= i; step += 1) {
      if (values[step] === before && step < i) continue;
      line += `H${x(step)}V${y(values[step])}`;
      before = values[step];
    }
    return line;
  };
  const drawn = lines.map((values, track) => `<path class="al-line s${track}" d="${path(values)}"/><circle class="al-now" cx="${x(i)}" cy="${y(values[i])}" r="4"/>`);
  const title = say(`cost.${name}`);
  const said = lines.map((values) => grouped(values[i])).join(" · ");
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
  const chart = `<svg ${size} role="img" aria-label="${safe(say("cost.said", { title, said, i }))}"><path class="al-axis" d="M4 ${height - 5.5}H${width - 4}"/>${drawn.join("")}</svg>`;
  return `<div data-spark="${safe(title)}" data-points="${i + 1}"><h2>${safe(title)} <b>${said}</b></h2>${chart}</div>`;
}

function largest(values, upto) {
  let most = 0;
  for (let step = 0; step <= upto; step += 1) if (values[step] > most) most = values[step];
  return most;
}

// ---- the address, bit by bit

function addressPanel(player, step, now) {
  const { story, stage } = player;
  const moment = story.moment(now.i);
  const thing = stage.thingIn(moment, now.chosen);
  const place = thing && thing.vpn >= 0 ? thing : firstPlace(moment, thing ? thing.pfn : 0, step);
  if (!place) return `<p>${safe(say("address.none"))}</p>`;
  const parts = slotsOf(place.vpn, story);
  const leads = leadsOf(moment, place, story);
  const row = (head, cells, last) =>
    `<tr><th scope="row">${safe(say(head))}</th>${cells.join("")}<td class="al-mono">${last}</td></tr>`;
  const head = (text) => `<th scope="col">${safe(text)}</th>`;
  const heads = parts.map((_, level) => head(say("address.part", { bits: story.bits, table: tableName(story, level) })));
  const title = say("address.title", { address: `<span class="al-mono">${firstByte(place.vpn)}</span>` });
  const who = say("address.of", { who: story.letter(place.mm), name: story.nameOf(place.mm) });
  const rows = [
    row("address.binary", parts.map((part) => `<td class="al-mono">${part.toString(2).padStart(story.bits, "0")}</td>`), "0000 0000 0000"),
    row("address.slotrow", parts.map((part) => `<td class="al-mono"><b>${story.levels === 2 ? part.toString(16) : part}</b></td>`), "000"),
    row("address.leads", leads.map((text) => `<td>${safe(text)}</td>`), ""),
  ];
  return `<h2>${title} <span class="al-small">${safe(who)}</span></h2><table><thead><tr>${head(say("address.what"))}${heads.join("")}${head(say("address.byte"))}</tr></thead><tbody>${rows.join("")}</tbody></table>`;
}

// What a table at `level` is called, 0 is the top one.
function tableName(story, level) {
  if (story.levels === 2) return say(level ? "address.leaf" : "address.top");
  return say(`address.level${clamp(level - story.levels + 4, 0, 3)}`);
}

// Return where the slot at each level leads: to the next table, at last to a frame.
function leadsOf(moment, place, story) {
  const rows = tableRows(moment, place, story);
  const entry = moment.spaces.get(place.mm)?.entries.get(place.vpn);
  const end = !entry ? say("address.empty") : entry.present ? say("address.frame", { pfn: entry.pfn }) : say("address.slot", { slot: entry.slot });
  return rows.map((_, level) => {
    if (level === rows.length - 1) return end;
    return rows[level + 1] ? say("address.row", { row: rows[level + 1] }) : say("address.notable");
  });
}

// Return the first page that maps frame `pfn`, else the step's own page, else any page.
function firstPlace(moment, pfn, step) {
  if (pfn && moment.users(pfn).length) return moment.users(pfn)[0];
  for (const { mm, entries, names } of moment.spaces.values()) if (names.includes(step.process) && entries.has(step.vpn)) return { mm, vpn: step.vpn };
  for (const { mm, entries } of moment.spaces.values()) for (const vpn of entries.keys()) return { mm, vpn };
  for (const { mm, vmas } of moment.spaces.values()) if (vmas.length) return { mm, vpn: vmas[0].start };
  return null;
}

// Return the slot that page `vpn` chooses at each level, the top one first.
function slotsOf(vpn, story) {
  const parts = [];
  let rest = vpn;
  for (let level = 0; level < story.levels; level += 1) {
    parts.unshift(rest % story.perTable);
    rest = Math.floor(rest / story.perTable);
  }
  return parts;
}

// Return the row of the table at each level on the way to a page, 0 where there is none.
function tableRows(moment, { mm, vpn }, story) {
  const space = moment.spaces.get(mm);
  return Array.from({ length: story.levels }, (_, level) => {
    if (!level) return space.pgd;
    const prefix = Math.floor(vpn / story.perTable ** (story.levels - level));
    return space.tables.get(level)?.get(prefix) || 0;
  });
}

// ---- processes and areas

function vmasPanel(player, step, now) {
  const { story } = player;
  const moment = story.moment(now.i);
  const last = (vma) => hexOf(BigInt(vma.end) * 4096n - 1n);
  const areas = ({ vmas }) => vmas.map((vma) => say("vmas.area", { ...vma, start: firstByte(vma.start), end: last(vma) })).join("; ");
  const rows = moment.processes.map((one) => {
    const space = moment.spaces.get(one.mm);
    const where = space ? say("vmas.mm", { mm: one.mm, letter: story.letter(one.mm) }) : say("vmas.exited");
    const cells = [one.pid, one.parent || say("vmas.noparent"), where].map((text) => `<td>${safe(text)}</td>`);
    const own = space ? areas(space) || say("vmas.noarea") : "";
    return `<tr><th scope="row"><b>${safe(one.name)}</b></th>${cells.join("")}<td class="al-mono">${safe(own)}</td></tr>`;
  });
  const heads = ["process", "pid", "parent", "space", "areas"].map((key) => `<th scope="col">${safe(say(`vmas.${key}`))}</th>`);
  return `<table><thead><tr>${heads.join("")}</tr></thead><tbody>${rows.join("") || `<tr><td colspan="5">${safe(say("vmas.none"))}</td></tr>`}</tbody></table>`;
}

// ---- the text twin

function textPanel(player, step, now) {
  const { story } = player;
  const texts = story.designs.map((_, track) => {
    const news = changeLines(story, now.i, track).map(([sign, said]) => `${sign} ${said}`);
    return [...twinLines(story.moment(now.i, track), story), ...(news.length ? [say("text.changed"), ...news] : [])].join("\n");
  });
  return `<pre data-part="text">${safe(texts.join("\n\n"))}</pre>`;
}

const PANELS = { rmap: rmapPanel, cost: costPanel, address: addressPanel, vmas: vmasPanel, text: textPanel };
