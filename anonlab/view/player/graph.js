// The design's own graph: who may map the pages. Where `dot` laid it out, its places are taken, else
// nodes stand in three columns: what a frame points to, what lies between, address spaces.

const NODE_HEIGHT = 36;
const NODE_PITCH = 42;
const EDGE_DASHES = { own: "6 3", parent: "6 3", home: "6 3", mm: "2 3", pte: "2 3" };

const nodeColumn = (kind) => (kind === "mm" ? 2 : kind === "vma" || kind === "block" || kind === "area" ? 1 : 0);

// Return {places: Map(id -> [x, y, width]), width, height, look} of columns that fit into `width` px:
// gaps give way first, then bold words, then the widest columns, whose texts are cut.
function graphColumns(nodes, texts, width) {
  const columns = [[], [], []];
  for (const one of nodes) columns[nodeColumn(one.kind)].push(one);
  const used = columns.filter((column) => column.length);
  const rows = Math.max(...used.map((column) => column.length));
  const { wanted, look, gap, cut } = columnWidths(used, texts, width - 14);
  const widest = Math.max(...wanted);
  const places = new Map();
  let x = 12;
  used.forEach((column, at) => {
    const wide = wanted[at] === widest ? Math.max(44, wanted[at] - cut) : wanted[at];
    column.forEach((one, row) => places.set(one.id, [x, 2 + (row + (rows - column.length) / 2) * NODE_PITCH, wide]));
    x += wide + gap;
  });
  return { places, width: x - gap + 2, height: rows * NODE_PITCH, look };
}

function columnWidths(used, texts, room) {
  let found = null;
  for (const [look, pad, least] of [["smallStrong", 12, 16], ["small", 8, 12], ["small", 5, 10]]) {
    const width = ([first, second]) => Math.ceil(Math.max(textWidth(first, look), textWidth(second, "small"))) + pad;
    const wanted = used.map((column) => Math.max(40, ...column.map((one) => width(texts.get(one.id)))));
    const gaps = used.length - 1;
    const spare = room - wanted.reduce((sum, wide) => sum + wide, 0);
    const gap = gaps ? clamp(spare / gaps, least, 84) : 0;
    found = { wanted, look, gap, cut: Math.max(0, gap * gaps - spare) };
    if (!found.cut) break;
  }
  return found;
}

// Return the two lines of a node: an address space is said by its letter, as in the picture.
function nodeTexts(story, one) {
  const facts = one.facts.map(([name, value]) => `${name} ${value}`).filter((text) => !/^(refs|free|pfn|active|root)\b/.test(text));
  if (one.kind === "mm") {
    const mm = Number(spaceNumber(one));
    return [`${story.letter(mm)} ${story.nameOf(mm)}`, one.label];
  }
  const [first, ...more] = one.label.replace(/^chain of /, "").split(", ");
  return [first, more.join(", ") || (one.kind === "block" ? "" : facts[0] || "")];
}

function edgePath([x, y, w], [tx, ty, tw]) {
  const half = NODE_HEIGHT / 2;
  if (x === tx) return [`M${x} ${y + half}C${x - 12} ${y + half} ${tx - 12} ${ty + half} ${tx} ${ty + half}`, ""];
  if (x > tx) return [`M${x} ${y + half + 8}L${tx + tw} ${ty + half + 8}`, ""];
  const from = x + w;
  const bend = Math.min(26, (tx - from) / 2);
  return [`M${from} ${y + half}C${from + bend} ${y + half} ${tx - bend} ${ty + half} ${tx - 1} ${ty + half}`, `M${tx} ${ty + half}l-7-4v8z`];
}

// Return the graph of a moment as markup. `probed`: the probes to light up, the last of a space counts.
function graphMarkup(story, moment, { track = 0, width = 340, height = Infinity, probed = [], label = "" } = {}) {
  if (!moment.nodes.length) return `<p class="al-small">${safe(say("graph.none"))}</p>`;
  const hits = new Map(probed.map(({ mm, hit }) => [String(mm), hit]));
  const texts = new Map(moment.nodes.map((one) => [one.id, nodeTexts(story, one)]));
  const laid = graphLayout(story, track, moment, [width, height]) || graphColumns(moment.nodes, texts, width);
  const edges = moment.edges.map((edge) => edgeMarkup(edge, laid.places));
  const nodes = moment.nodes.map((one) => {
    const hit = one.kind === "mm" ? hits.get(spaceNumber(one)) : undefined;
    return nodeMarkup(one, laid, texts.get(one.id), hit === undefined ? "" : hit ? "hit" : "miss");
  });
  const name = label || say("graph.name", { nodes: moment.nodes.map((one) => one.label).join("; ") });
  const across = Math.max(width, laid.width);
  return `<svg class="al-graph" width="${across}" height="${laid.height}" viewBox="0 0 ${across} ${laid.height}" role="img" aria-label="${safe(name)}">${edges.join("")}${nodes.join("")}</svg>`;
}

const spaceNumber = (one) => (/\d+/.exec(one.id) || [""])[0];

function edgeMarkup({ tail, head, kind }, places) {
  const [from, to] = [places.get(tail), places.get(head)];
  if (!from || !to) return "";
  const [path, tip] = edgePath(from, to);
  const dash = EDGE_DASHES[kind] ? ` stroke-dasharray="${EDGE_DASHES[kind]}"` : "";
  return `<path class="al-edge" d="${path}"${dash}/>${tip ? `<path class="al-tip" d="${tip}"/>` : ""}`;
}

function nodeMarkup(one, laid, texts, look) {
  const [x, y, wide] = laid.places.get(one.id) || [0, 0, 0];
  const strong = laid.look !== "small";
  const [first, second] = texts.map((text, line) => fitText(text, wide - 4, line || !strong ? "small" : "smallStrong"));
  const middle = x + wide / 2;
  const whole = [one.label, ...one.facts.map(([name, value]) => `${name} ${value}`)].join(", ");
  const box = `<rect x="${x}" y="${y}" width="${wide}" height="${NODE_HEIGHT}" rx="${one.kind === "mm" ? 3 : 10}"/>`;
  const line = (text, down, classes) => (text ? `<text${classes} x="${middle}" y="${y + down}" text-anchor="middle">${safe(text)}</text> ` : "");
  const words = line(first, second ? 15.5 : 22.5, strong ? ' class="al-first"' : "") + line(second, 29.5, "");
  return `<g class="al-node ${look}"><title>${safe(whole)}</title>${box}${words}</g>`;
}

// Return the places of dot's layout, stretched to the room; null where it does not fit: columns then.
function graphLayout(story, track, moment, [width, height]) {
  const laid = story.graph(track);
  if (!laid || laid.width + 14 > width || laid.height + 4 > height || moment.nodes.some((one) => !laid.nodes[one.id])) return null;
  const most = Object.values(laid.nodes).map(([x, , wide]) => (width - 14 - wide) / Math.max(1, x));
  const stretch = clamp(Math.min(...most), 1, 2);
  const places = new Map(moment.nodes.map((one) => {
    const [x, y, wide] = laid.nodes[one.id];
    return [one.id, [Math.round(12 + x * stretch), y + 2, wide]];
  }));
  return { places, width, height: laid.height + 4 };
}
