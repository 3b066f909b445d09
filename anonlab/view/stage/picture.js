// The picture of the player: places, states, marks, charts. page_numbers.js, this file,
// address.js and player.js are one module, no dependency, for JupyterLab and for the exported page
// (export.py puts them together).
// `frames` holds every place once, every state once, and per step which cells change. All that the
// player says beside the words of a step (mappers by brute force, the walk) it reads from facts.
const KINDS = ["pte", "frame", "slot", "node", "vma", "edge"];
const CHOICES = ["pte", "frame", "slot", "node", "vma", "process", "head", "fileline"];
const DISC = "M-7 0a7 7 0 1 0 14 0a7 7 0 1 0-14 0";
const TICK = "M-4 0l3 3.4L4.4-3.6";
const CROSS = "M-3.2-3.2l6.4 6.4M3.2-3.2l-6.4 6.4";
const VERDICTS = {
  hit: ["right", TICK],
  missed: ["missed", "M-3.4 0a3.4 3.4 0 1 0 6.8 0a3.4 3.4 0 1 0-6.8 0"],
  extra: ["too many", CROSS],
};
const LINES = [["accent", ""], ["miss", "7 4"], ["hit", "2 3"], ["swap-line", "10 3 2 3"]];
const PAUSE = 1800;
let views = 0;

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function draw(tag, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

const part = (name, tag = "p", more = {}, ...children) =>
  make(tag, { "data-part": name, class: `al-${name}`, ...more }, ...children);
const button = (does, words, pressed) =>
  make("button", { type: "button", "data-do": does, ...(pressed ? { "aria-pressed": "false" } : {}) }, words);
const plural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;
const words = (text) => (text || "").split(" ").filter(Boolean);

// ---- the picture ------------------------------------------------------------------------

// Return the states of all cells at step `at`: from the last full step on.
function statesAt(data, at) {
  let from = at;
  while (!data.steps[from].full) from -= 1;
  const states = data.steps[from].full.slice();
  for (let step = from + 1; step <= at; step += 1) {
    const delta = data.steps[step].delta;
    for (let k = 0; k < delta.length; k += 2) states[delta[k]] = delta[k + 1];
  }
  return states;
}

// Return the text twin of step `at`: [same at the start, same at the end, new lines] since the last full one.
function twin(data, at) {
  let from = at;
  while (!data.steps[from].full) from -= 1;
  let now = [];
  for (; from <= at; from += 1) {
    const [head, tail, ...lines] = data.steps[from].lines;
    now = [...now.slice(0, head), ...lines, ...(tail ? now.slice(-tail) : [])];
  }
  return now.map((number) => data.lines[number]).join("\n");
}

// Facts are written short: [count, column, …]; a column is one word for all, a list, or a series.
function unpack(groups) {
  const spelt = (column, at) => {
    if (typeof column === "string") return column;
    if (Array.isArray(column)) return column[at];
    const number = column.a + column.d * at;
    return column.w ? hex(number, column.w) : String(number);
  };
  return groups.flatMap(([count, ...columns]) =>
    Array.from({ length: count }, (_, at) => columns.map((column) => spelt(column, at))));
}

// The only markup that is inserted as such: numbers and words of our own, no labels.
function cellSvg(shape, number, x, y) {
  const texts = shape.spots.map(([left, top, look]) => `<text class="${look}" x="${left}" y="${top}"></text>`).join("");
  const box = shape.path
    ? `<path class="w" d="${shape.path}"/><path class="p" d="${shape.path}"/>`
    : shape.round ? `<rect width="${shape.width}" height="${shape.height}" rx="${shape.round}"/>`
    : shape.kind === "head" ? `<path class="w" d="M0 0h${shape.width}v${shape.height}h-${shape.width}z"/>` : "";
  const icon = shape.path ? "" : `<path class="i" transform="translate(${shape.width - 14} 4)"/>`;
  return `<g data-cell="${number}" class="c ${shape.kind} off" transform="translate(${x} ${y})"><title></title>${box}${icon}${texts}<path class="m" transform="translate(${shape.x} ${shape.y})"/></g>`;
}

function buildPicture(data, prefix) {
  const cells = [];
  const lanes = data.lanes.map((name) => ({
    name,
    root: make("div", { class: "al-lane" }),
    spaces: make("div", { class: "al-zone spaces" }),
    memory: make("div", { class: "al-zone memory" }),
    graph: make("div", { class: "al-zone" }),
    places: [],
  }));
  const several = lanes.length > 1;
  const element = make("div", { class: "anonlab-picture", "data-part": "picture", role: "grid", "aria-label": "picture" });
  for (const lane of lanes) {
    if (several) {
      lane.said = part("said");
      lane.root.append(make("div", { class: "al-name" }, make("h3", {}, lane.name), lane.said));
    }
    lane.card = part("card", "div", { role: "group", "aria-label": several ? `the chosen thing, ${lane.name}` : "the chosen thing" });
    lane.root.append(lane.card, ...(several ? [lane.graph] : []), lane.spaces, lane.memory);
    element.append(lane.root);
  }
  let number = 0;
  for (const panel of data.panels) {
    const pad = 6;
    const lane = lanes[Math.max(0, panel.lane)];
    const svg = draw("svg", { viewBox: `${-pad} ${-pad} ${panel.width + 2 * pad} ${panel.height + 2 * pad}`, role: "row", "aria-label": panel.caption });
    svg.style.width = "100%";
    const wide = panel.width > 344;
    svg.style.minWidth = `${Math.ceil((panel.width + 2 * pad) * 0.82)}px`; // 11 px stay 9 px
    svg.style.maxWidth = `min(100%, ${Math.round(panel.width * 1.25)}px)`;
    let inside = "";
    for (let k = 0; k < panel.cells.length; k += 3) {
      inside += cellSvg(data.shapes[panel.cells[k]], number + k / 3, panel.cells[k + 1], panel.cells[k + 2]);
    }
    svg.innerHTML = inside;
    const box = make("div", { class: `al-panel${wide ? " wide" : ""}`, "data-panel": panel.id }, svg);
    const graph = panel.id === "graph";
    if (panel.place < 0) (panel.lane < 0 ? element : lane[graph ? (several ? "graph" : "spaces") : panel.zone]).append(box);
    else {
      lane.places[panel.place] ||= { root: make("div", { class: "al-place" }), tables: [] };
      lane.places[panel.place].root.append(box);
      lane.places[panel.place].tables.push({ box, svg, whole: svg.getAttribute("viewBox"), head: `${-pad} ${-pad} ${panel.width + 2 * pad} 50` });
    }
    for (const g of [...svg.children]) {
      const id = data.cells[number];
      g.id = prefix + id;
      const kind = g.classList[1];
      const open = CHOICES.includes(kind) && !/^(legend|memory$|graph$)/.test(id);
      if (open) {
        g.setAttribute("role", "gridcell");
        g.setAttribute("tabindex", "-1");
      }
      cells.push({
        g, id, kind, number, lane: Math.max(0, panel.lane), caption: panel.caption, open,
        own: several ? id.replace(/^d\d+-/, "") : id,
        title: g.firstChild, icon: g.querySelector(".i"), mark: g.querySelector(".m"), texts: [...g.querySelectorAll("text")],
        state: -1, sign: "",
      });
      number += 1;
    }
  }
  for (const { spaces, places } of lanes) spaces.prepend(...places.map(({ root }) => root));
  return { element, cells, lanes };
}

function attribute(element, name, value) {
  if (value) element.setAttribute(name, value);
  else element.removeAttribute(name);
}

function showState(data, cell, number, sign) {
  const [look, texts, icon, name, facts, links] = data.states[number];
  const mark = sign ? ` ch ${data.marks[sign][0]}` : "";
  cell.g.setAttribute("class", `c ${cell.kind} ${look}${mark}`);
  if (cell.sign !== sign) attribute(cell.mark, "d", sign && data.marks[sign][1]);
  cell.sign = sign;
  if (cell.kind === "head") {
    const box = cell.g.closest(".al-panel");
    box.classList.toggle("absent", look === "void");
    box.dataset.when = texts[2] === "does not exist yet" ? "early" : "";
  }
  if (cell.state === number) return;
  cell.state = number;
  cell.title.textContent = name;
  cell.texts.forEach((text, at) => (text.textContent = texts[at] || ""));
  if (cell.icon) attribute(cell.icon, "d", icon);
  attribute(cell.g, "data-facts", facts.length ? JSON.stringify(facts) : "");
  attribute(cell.g, "data-links", links);
}

function paint(data, cells, at) {
  const signs = new Map();
  const marks = data.steps[at].marks;
  for (let k = 0; k < marks.length; k += 2) signs.set(marks[k], marks[k + 1]);
  statesAt(data, at).forEach((state, number) => {
    const cell = cells[number];
    const sign = signs.get(number) || "";
    if (cell.state !== state || cell.sign !== sign) showState(data, cell, state, sign);
  });
}

// A place shows the address space that is there, else one that just went, else the next to come.
// A place where none is takes one line.
function fold({ places }) {
  for (const { tables } of places) {
    const there = tables.find(({ box }) => !box.classList.contains("absent"));
    const went = tables.find(({ svg }) => svg.querySelector(".ch"));
    const next = tables.find(({ box }) => box.dataset.when === "early");
    const shown = there || went || next || tables[tables.length - 1];
    for (const { box, svg, whole, head } of tables) {
      const seen = there || went ? whole : head;
      if (svg.getAttribute("viewBox") !== seen) svg.setAttribute("viewBox", seen);
      box.classList.toggle("aside", box !== shown.box);
    }
  }
}

function badge(cell, look, sign, text = "") {
  const box = cell.g.querySelector("rect");
  const [x, y] = box ? [Number(box.getAttribute("width")) - 3, Number(box.getAttribute("height")) - 3] : [324, 10];
  const g = draw("g", { class: `q ${look}`, transform: `${cell.g.getAttribute("transform")} translate(${x} ${text ? y + 5 : y})` });
  g.append(draw("path", { d: (text ? "M0-7h-16a7 7 0 0 0 0 14h16a7 7 0 0 0 0-14" : DISC) + sign }));
  if (text) {
    const number = draw("text", { class: "mid", x: "-14", y: "4" });
    number.textContent = text;
    g.append(number);
  }
  cell.g.parentNode.append(g); // above its neighbours
}

const named = (data, at) => `step ${at} of ${data.steps.length - 1}`;

// ---- cost over time ---------------------------------------------------------------------

function chart(data, [name, rows]) {
  const [width, height, foot] = [280, 74, 62];
  const last = Math.max(1, data.steps.length - 1);
  const top = Math.max(...rows.flat(), 1);
  const x = (at) => ((at / last) * (width - 4) + 2).toFixed(1);
  const y = (count) => (foot - (count / top) * (foot - 8)).toFixed(1);
  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  svg.append(draw("path", { class: "axis", d: `M0 ${foot}H${width}` }));
  rows.forEach((row, lane) => {
    let d = `M${x(0)} ${y(row[0])}`;
    row.forEach((count, at) => {
      if (at && count !== row[at - 1]) d += `H${x(at)}V${y(count)}`;
    });
    const [colour, dash] = LINES[lane];
    svg.append(draw("path", { class: "line", d: `${d}H${x(last)}`, style: `stroke:var(--al-${colour});stroke-dasharray:${dash || "none"}` }));
  });
  const now = draw("path", { class: "now", d: `M0 2V${foot + 6}` });
  svg.append(now);
  const told = make("p", {});
  const root = make("div", { class: "al-chart", "data-chart": name }, told, svg);
  const show = (at) => {
    now.setAttribute("transform", `translate(${x(at)} 0)`);
    const counts = rows.map((row, lane) => {
      const key = data.lanes.length > 1 ? `${data.lanes[lane]} ` : "";
      const one = make("span", {}, key, make("b", {}, row[at].toLocaleString("en")));
      if (key) {
        const sample = draw("svg", { viewBox: "0 0 24 8", class: "al-dash", "aria-hidden": "true" });
        sample.append(draw("path", { d: "M0 4H24", style: `stroke:var(--al-${LINES[lane][0]});stroke-dasharray:${LINES[lane][1] || "none"}` }));
        one.prepend(sample);
      }
      return one;
    });
    told.replaceChildren(make("span", { class: "al-small" }, name), ...counts);
  };
  return { root, show, at: (event) => Math.round(((event.clientX - svg.getBoundingClientRect().left) / svg.getBoundingClientRect().width) * last) };
}
