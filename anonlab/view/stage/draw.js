// The page tables of the picture. A drawing is a list of groups, a group a list of parts, and a part
// one element as a string with the key that the patching knows it by.

// What an entry is, for colours and words.
function entryState(entry) {
  if (entry.present) return entry.zero ? "zero" : entry.write ? "write" : "read";
  return entry.slot >= 0 ? "swap" : "other";
}

const pageAddress = (vpn) => `0x${vpn ? `${vpn.toString(16)}000` : "0"}`;

// On machines with many levels a slot shows its number and the end of its address.
const shortAddress = (vpn) => `…${(vpn % 4096).toString(16).padStart(3, "0")}000`;

const runKey = (mm, vpn) => `r${mm}-${vpn}`;

// Return the whole picture of one step as {groups, arrows, things, legend, need}.
function drawPicture(story, track, i, options) {
  const plan = planOf(story, track, i, {prefix: "al", chosen: "", ...options});
  plan.ends = new Map();
  plan.marked = new Set(); // signs of tables and areas
  const groups = [];
  plan.columns.forEach((mm, column) => {
    if (mm) groups.push(tableGroup(plan, mm, column));
  });
  if (!plan.columns.some(Boolean)) groups.push(emptyGroup(plan));
  if (!plan.options.big && (plan.hidden.length || plan.exited.length)) groups.push(closedGroup(plan));
  groups.push(memoryGroup(plan));
  if (plan.swapRoom) groups.push(swapGroup(plan));
  const arrows = arrowsOf(plan);
  const drawn = arrows.map((one) => ({key: one.key, html: arrowHtml(plan, one)}));
  drawn.push({key: "counts", html: `<g>${countsHtml(arrows)}</g>`});
  groups.push({key: "arrows", open: '<g aria-hidden="true">', parts: drawn});
  return {groups, arrows, things: plan.things, plan, legend: legendOf(plan, arrows), need: {height: plan.bottom}};
}

const emptyGroup = (plan) => ({key: "empty", open: "<g>", parts: [{key: "h", html: `<g>${textAt(12, 22, say("picture.no-process"), "plain")}</g>`}]});

// What a legend has to explain now.
function legendOf(plan, arrows) {
  const signs = new Set(plan.marked);
  for (const one of [...plan.changes.entries, ...plan.changes.frames, ...plan.changes.slots]) if (one.sign) signs.add(one.sign);
  const order = ["write", "read", "zero", "swap"];
  const kinds = new Set(arrows.map((one) => one.state));
  return {kinds: order.filter((kind) => kinds.has(kind)), signs: ["N", "C", "G"].filter((sign) => signs.has(sign))};
}

// ---- a page table ---------------------------------------------------------------------------------

function tableGroup(plan, mm, column) {
  const space = plan.moment.spaces.get(mm) || null;
  const who = plan.story.nameOf(mm);
  const table = {mm, column, space, who, x: plan.columnX(column), vmas: space ? space.vmas : [],
    letter: plan.story.letter(mm), gone: new Map(), entries: new Map(), signs: new Map()};
  for (const one of plan.changes.entries) {
    if (one.mm !== mm) continue;
    table.signs.set(one.vpn, one.sign);
    if (!one.now && one.was) table.gone.set(one.vpn, one.was);
  }
  sortEntries(plan, table);
  const parts = [{key: "head", html: `<g>${tableHead(plan, table)}</g>`}];
  for (const line of plan.lines) {
    if (line.kind === "title") pushPart(parts, `title${line.prefix}`, titleHtml(plan, table, line));
    else if (line.kind === "row") parts.push(...rowParts(plan, table, line));
    else parts.push(...runParts(plan, table, line));
  }
  const name = escapeText(say("picture.table", {who}));
  return {key: `table${mm}`, open: `<g role="group" aria-label="${name}" data-mm="${mm}">`, parts};
}

function pushPart(parts, key, html) {
  if (html) parts.push({key, html});
}

// Put the entries of a table, and those that are gone now, on their lines.
function sortEntries(plan, table) {
  const put = (vpn, entry) => {
    const line = lineOf(plan, vpn);
    if (!line) return;
    const here = table.entries.get(line);
    if (here) here.push(entry);
    else table.entries.set(line, [entry]);
  };
  if (table.space) for (const [vpn, entry] of table.space.entries) put(vpn, entry);
  table.goneLines = new Map();
  for (const vpn of table.gone.keys()) {
    const line = lineOf(plan, vpn);
    if (line) table.goneLines.set(line, (table.goneLines.get(line) || 0) + 1);
  }
}

function tableHead(plan, table) {
  const {x, mm, space} = table;
  const width = plan.table;
  const sign = headSign(plan, mm);
  const home = plan.deep && space && space.home ? `mm ${mm} · ${homeWords(space.home)}` : "";
  const moved = sign === "C" ? homeWords(space.home) : "";  // what the sign is about, if only that fits
  const start = Math.max(18, textWidth(table.letter, "letter") + 7);
  const rooms = width - start - (sign ? 26 : 0);
  const name = fitText(table.who, rooms, "title");
  const left = rooms - textWidth(name, "title") - 12;
  const more = plan.form === "mini" ? "" : firstThatFits([home, moved, plan.deep ? `mm ${mm}` : say("picture.page-table")], left, "small");
  let html = textAt(x, 21, table.letter, "letter") + textAt(x + start, 21, name, "title")
    + textAt(x + width, 21, more, "muted", "end");
  if (sign) html += tableMark(plan, x + start + textWidth(name, "title") + 14, 16, sign);
  const areas = areasSign(plan, mm);
  const text = areasText(table, width - (areas ? 24 : 0));
  html += textAt(x, 39, text, "mutedCode");
  if (areas) html += tableMark(plan, x + textWidth(text, "mutedCode") + 14, 33, areas);
  return plan.isWhole ? html + stripHtml(plan, table) : html;
}

// What "group1" is called.
const homeWords = (home) => home.replace(/([a-z])(\d)/, "$1 $2");

// N and G: the address space came or went; C: it belongs to another group now.
function headSign(plan, mm) {
  const space = plan.changes.spaces.find((one) => one.mm === mm);
  const moved = plan.deep && space && space.was && space.now && space.now.home && space.was.home !== space.now.home;
  return plan.changes.sign(spaceKey(mm)) || (moved ? "C" : "");
}

// What became of the areas of an address space that stays: C if not all of them fared alike.
function areasSign(plan, mm) {
  const space = plan.changes.spaces.find((one) => one.mm === mm);
  const signs = new Set(space && space.was && space.now ? areaChanges(space).map(([sign]) => sign) : []);
  return signs.size > 1 ? "C" : [...signs][0] || "";
}

// What became of leaf table `prefix`.
function leafSign(plan, mm, prefix) {
  if (plan.changes.sign(spaceKey(mm)) === "G") return "";
  const found = plan.changes.tables.find((one) => one.mm === mm && one.level === plan.story.levels - 1 && one.prefix === prefix);
  return found ? signOf(found.was, found.now) : "";
}

function tableMark(plan, x, y, sign) {
  plan.marked.add(sign);
  return markAt(x, y, sign);
}

// One line about the areas: all of them if they have room, else how many.
function areasText(table, width) {
  if (!table.space) return say("picture.exited");
  if (!table.vmas.length) return say("picture.no-area");
  const each = (vma, pages) => [pageAddress(vma.start), pages ? say("picture.pages", {n: vma.end - vma.start}) : "", vma.prot,
    vma.shared ? say("picture.shared") : "", vma.file].filter(Boolean).join(" ");
  const tries = [true, false].map((pages) => table.vmas.map((vma) => each(vma, pages)).join(", "));
  tries.push(table.vmas.map((vma) => pageAddress(vma.start)).join(", "));
  tries.push(table.vmas.length > 1 ? say("picture.areas", {n: table.vmas.length}) : pageAddress(table.vmas[0].start));
  return firstThatFits(tries, width, "mutedCode") || fitText(tries[3], width, "mutedCode");
}

// The areas on a ruler, and the top table as a strip of cells on the same scale.
function stripHtml(plan, table) {
  const {x} = table;
  const slots = plan.story.perTable;
  const [width, cell] = [plan.table, plan.table / slots];
  const pages = slots * slots;
  let html = "";
  for (const vma of table.vmas) {
    const wide = Math.max(4, width * (vma.end - vma.start) / pages);
    const at = Math.min(x + width - wide, x + width * vma.start / pages);
    html += `<rect class="vma${vma.file ? " file" : ""}" x="${px(at)}" y="44" width="${px(wide)}" height="6"/>`;
  }
  html += `<path class="ruler" d="M${px(x)} 50.5H${px(x + width)}"/>`;
  const tables = table.space && table.space.tables.get(1);
  for (let slot = 0; slot < slots; slot += 1) {
    const on = tables && tables.has(slot) ? " on" : "";
    const at = x + (slot + 0.5) * cell;
    html += `<rect class="top${on}" x="${px(x + slot * cell)}" y="54" width="${px(cell)}" height="18"/>`
      + `<text class="m12 ${on ? "on" : "mu"}" x="${px(at)}" y="67.3" text-anchor="middle">${slot.toString(16)}</text> `;
  }
  return html;
}

// Does the address space have anything on pages first to last: an area, an entry, one that is gone?
const isUsed = (table, line) =>
  table.entries.has(line) || table.goneLines.has(line) || table.vmas.some((vma) => vma.start <= line.last && vma.end > line.first);

// The title of a leaf table: the slots that lead to it.
function titleHtml(plan, table, line) {
  const {story} = plan;
  const first = line.prefix * story.perTable;
  const span = plan.survey.leaves.find((leaf) => leaf.prefix === line.prefix) || {first, last: first + story.perTable - 1};
  const touches = table.vmas.some((vma) => vma.start <= span.last && vma.end > span.first);
  const leaf = table.space && story.levels > 1 ? table.space.tables.get(story.levels - 1) : null;
  const has = story.levels === 1 ? Boolean(table.space) : Boolean(leaf && leaf.has(line.prefix));
  const gone = [...table.gone.keys()].some((vpn) => vpn >= span.first && vpn <= span.last);
  const sign = leafSign(plan, table.mm, line.prefix);
  if (!touches && !has && !gone && !sign) return "";
  const mark = sign ? tableMark(plan, table.x + plan.table - 13, line.y, sign) : "";
  const room = plan.table - (sign ? 26 : 0);
  const chips = story.levels === 1 ? [] : plan.isWhole ? [line.prefix.toString(16)] : pathOf(story, line.prefix);
  return `<g>${plan.isWhole ? wholeTitle(plan, table, line, chips[0], has, room) : pathTitle(plan, table, line, chips, has, room)}${mark}</g>`;
}

// Return the slots of the upper tables that lead to leaf table `prefix`, the top one first.
function pathOf(story, prefix) {
  const path = [];
  let rest = prefix;
  for (let level = 0; level < story.levels - 1; level += 1) {
    path.unshift(String(rest % story.perTable));
    rest = Math.floor(rest / story.perTable);
  }
  return path;
}

function wholeTitle(plan, table, line, slot, has, all) {
  const high = Math.min(19, plan.pitch - 4);
  const text = has ? [say("picture.leaf-rest", {slot}), say("picture.leaf", {slot})] : [say("picture.no-leaf")];
  const room = all - 27;
  return chipHtml(table.x, line.y, 18, high, 3, slot, has)
    + textAt(table.x + 25, line.y + 4.5, firstThatFits(text, room, "small"), "muted");
}

function chipHtml(x, y, width, height, radius, text, on) {
  const dash = on ? "" : ' stroke-dasharray="2 3"';
  return `<rect class="top${on ? " on" : ""}" x="${px(x)}" y="${px(y - height / 2)}" width="${px(width)}" height="${px(height)}" rx="${radius}"${dash}/>`
    + `<text class="m12 ${on ? "on" : "mu"}" x="${px(x + width / 2)}" y="${px(y + 4.5)}" text-anchor="middle">${text}</text> `;
}

// Chips of the path; when there are too many, those nearest to the slot stay.
function pathTitle(plan, table, line, chips, has, all) {
  if (!chips.length) return textAt(table.x, line.y + 4.5, say("picture.only-table"), "muted");
  const widthOfChip = (text) => 12 + textWidth(text, "smallCode");
  const room = all - 4;
  const shown = [...chips];
  const total = () => shown.reduce((sum, text) => sum + widthOfChip(text) + 13, 0) + (shown.length < chips.length ? 14 : 0);
  while (shown.length > 1 && total() > room) shown.shift();
  let {x} = table;
  let html = "";
  if (shown.length < chips.length) {
    html += textAt(x, line.y + 4.5, "…", "muted");
    x += 14;
  }
  const high = Math.min(19, plan.pitch - 4);
  for (const text of shown) {
    html += chipHtml(x, line.y, widthOfChip(text), high, 9, text, has) + textAt(x + widthOfChip(text) + 3, line.y + 4.5, "›", "muted");
    x += widthOfChip(text) + 13;
  }
  const names = plan.story.levels === 4 ? "pgd pud pmd" : plan.story.levels === 2 ? "pgd" : "";
  return html + textAt(x, line.y + 4.5, firstThatFits([names], table.x + room - x, "small"), "muted");
}

// ---- a slot ---------------------------------------------------------------------------------------

const addressRoom = (plan) => (plan.form === "mini" ? 66 : plan.isWhole ? 70 : 97);

// The address of a slot; the digit (or number) that chooses it is bold.
function addressParts(plan, vpn) {
  const {perTable} = plan.story;
  if (!plan.isWhole) {
    const slot = plan.form === "mini" ? "" : String(vpn % perTable);
    return {seen: `${slot}${slot ? " " : ""}${shortAddress(vpn)}`, html: `${slot ? `<tspan class="lt">${slot}</tspan> ` : ""}${shortAddress(vpn)}`};
  }
  const text = pageAddress(vpn);
  if (perTable !== 16 || vpn === 0) return {seen: text, html: text};
  const at = text.length - 4;
  return {seen: text, html: `${text.slice(0, at)}<tspan class="lt">${text[at]}</tspan>${text.slice(at + 1)}`};
}

const boxOf = (plan, table, line) => {
  const room = addressRoom(plan);
  return [table.x + room, line.y - plan.box / 2, plan.table - room - 2, plan.box];
};

const addressText = (plan, table, line, html) =>
  `<text class="m" x="${px(table.x)}" y="${px(line.y + 4.5)}">${html}</text> `;

// Words for the state of a slot, the longest first.
function stateWords(plan, table, entry, vpn) {
  const state = entryState(entry);
  const vma = table.vmas.find((one) => one.start <= vpn && one.end > vpn);
  const words = [say(`state.${state}`), say(`state.${state}-short`)];
  if (!vma || !vma.shared || (state !== "write" && state !== "read")) return words;
  return [`${words[0]}, ${say("picture.shared")}`, `${words[1]}, ${say("picture.shared")}`, say("picture.shared")];
}

function rowParts(plan, table, line) {
  const vpn = line.first;
  if (!isUsed(table, line)) return [];
  const key = slotKey(table.mm, vpn);
  const [entry] = table.entries.get(line) || [];
  const sign = table.signs.get(vpn) || "";
  const address = addressParts(plan, vpn);
  const box = boxOf(plan, table, line);
  const look = entry ? entryState(entry) : table.gone.has(vpn) ? "gone" : "none";
  const inside = entry ? entryInside(plan, table, line, entry, box)
    : {seen: [say(`state.${look}`)], html: textAt(box[0] + 14, line.y + 4.4, say(`state.${look}`), "small")};
  const body = addressText(plan, table, line, address.html) + boxAt(...box) + inside.html + (sign ? markAt(box[0], line.y, sign) : "");
  plan.things.set(key, {kind: "entry", mm: table.mm, vpn, pfn: entry && entry.present ? entry.pfn : undefined,
    slot: entry ? entry.slot : -1});
  const more = slotName(table, vpn, entry);
  const parts = [{key, html: optionHtml(plan, {key, look, seen: [address.seen, ...inside.seen], more, body, box, sign})}];
  pushPart(parts, `j${key}`, judgedHtml(plan, key, box, "right"));
  pushPart(parts, `w${key}`, probeHtml(plan, table, vpn, box));
  if (entry) noteArrow(plan, table, line, entry, sign);
  return parts;
}

function entryInside(plan, table, line, entry, box) {
  const state = entryState(entry);
  const number = entry.present ? String(entry.pfn) : entry.slot >= 0 ? String(entry.slot) : "";
  const hasIcon = plan.form === "full" && ["write", "read", "zero"].includes(state);
  const x = box[0] + (hasIcon ? 33 : 14);
  const right = table.x + plan.table - 16;
  const room = right - x - textWidth(number, "strong") - 4;
  const words = stateWords(plan, table, entry, line.first);
  const word = firstThatFits(words, room, "small"); // where it has no room, colour and arrow say it
  return {
    seen: [word, number],
    html: (hasIcon ? iconAt(box[0] + 16, line.y - 1, state) : "") + textAt(x, line.y + 4.4, word, "small")
      + textAt(right, line.y + 4.6, number, "strong", "end"),
  };
}

function slotName(table, vpn, entry) {
  const args = {vpn, who: table.who};
  if (!entry) return say("slot.none", args);
  return say(`slot.${entryState(entry)}`, {...args, pfn: entry.pfn, slot: entry.slot});
}

function probeHtml(plan, table, vpn, box) {
  const probe = (plan.options.probes || []).find((one) => one.mm === table.mm && one.vpn === vpn);
  if (!probe) return "";
  const [kind, sign] = probe.hit ? ["hit", "✓"] : ["miss", "×"];
  const x = table.x + plan.table + 2;
  return `<g class="pb" aria-hidden="true"><circle class="probe ${kind}" cx="${px(x)}" cy="${px(box[1] - 1)}" r="9"/>`
    + `<text class="pt" x="${px(x)}" y="${px(box[1] + 3.4)}" text-anchor="middle">${sign}</text></g>`;
}

// ---- a run of pages on one line ---------------------------------------------------------------------

function runParts(plan, table, line) {
  if (!isUsed(table, line)) return [];
  const key = runKey(table.mm, line.first);
  const entries = table.entries.get(line) || [];
  const sign = runSign(table, line);
  const frames = framesText(entries);
  const args = {n: line.pages, first: line.first, last: line.last, who: table.who, mapped: entries.length};
  const quiet = line.quiet && !sign;
  const box = line.titled ? boxOf(plan, table, line) : [table.x, line.y - plan.box / 2, plan.table - 2, plan.box];
  const inside = runInside(plan, table, line, {box, args, frames, quiet});
  const address = line.titled ? addressParts(plan, line.first) : {seen: "", html: ""};
  const body = (line.titled ? addressText(plan, table, line, address.html) : "")
    + `<path class="pile" d="M${px(box[0] + 5)} ${px(box[1] + box[3] + 2.5)}H${px(box[0] + box[2] - 5)}"/>` + boxAt(...box)
    + inside.html + (sign ? markAt(box[0] + (line.titled ? 0 : 2), line.y, sign) : "");
  plan.things.set(key, {kind: "run", mm: table.mm, vpn: line.first, first: line.first, last: line.last});
  entries.forEach((entry) => noteArrow(plan, table, line, entry, table.signs.get(entry.vpn) || ""));
  const more = say(quiet ? "run.name-quiet" : "run.name", args);
  const look = `${runLook(line, entries, sign)} run`;
  return [{key, html: optionHtml(plan, {key, look, seen: [address.seen, ...inside.seen], more, body, box, sign})}];
}

// A run looks like its pages if they are all alike, and neutral if they are not.
function runLook(line, entries, sign) {
  const states = new Set(entries.map(entryState));
  if (states.size === 1 && entries.length === line.pages) return [...states][0];
  return entries.length ? "strip" : sign === "G" ? "gone" : "none";
}

// How many pages a run has, and in which frames; runs over several tables say where they begin.
function runInside(plan, table, line, {box, args, frames, quiet}) {
  const left = box[0] + 14;
  const right = table.x + plan.table - 16;
  const number = firstThatFits([frames], right - left - 4 - textWidth(say("run.short", args), "small"), "strong");
  const room = right - left - (number ? textWidth(number, "strong") + 4 : 0);
  const keys = quiet ? ["run.quiet", "run.pages", "run.short"] : ["run.pages", "run.short"];
  const from = line.titled ? [] : ["run.between", "run.from"].map((name) => say(name, args));
  const tries = [...from, ...keys.map((name) => say(name, args))];
  const text = firstThatFits(tries, room, "small") || fitText(String(line.pages), room, "small");
  return {seen: [text, number], html: textAt(left, line.y + 4.4, text, "small") + textAt(right, line.y + 4.6, number, "strong", "end")};
}

// The sign of a run: that of its changed pages if they have one, else C.
function runSign(table, line) {
  let sign = "";
  for (const [vpn, one] of table.signs) {
    if (!one || vpn < line.first || vpn > line.last) continue;
    if (sign && sign !== one) return "C";
    sign = one;
  }
  return sign;
}

// Frames of a run of entries: "5–80" if they follow each other, else how many.
function framesText(entries) {
  const pfns = [...new Set(entries.filter((entry) => entry.present).map((entry) => entry.pfn))].sort((a, b) => a - b);
  if (!pfns.length) return "";
  const [first, last] = [pfns[0], pfns[pfns.length - 1]];
  if (first === last) return String(first);
  return last - first + 1 === pfns.length ? `${first}–${last}` : `${pfns.length}×`;
}
