// A step as one picture that needs nothing else: what the stage shows, with title, step, sentence and
// legend in it. Colours are attributes, those of the theme that is shown, so other programs can read it.

const FILE_EDGE = 14; // px around everything
const FILE_GAP = 12; // px between pictures, and between designs
const FILE_LINE = 17; // px of a line of text
const FILE_LEAST = 460; // px, so that a sentence has room
const FILE_COLUMN = 200; // px of a design at least

const SVG = "http://www.w3.org/2000/svg";
const PLACED = /^(x|y|x1|y1|x2|y2|cx|cy|r|rx|ry|d|width|height|transform|text-anchor|data-(?!filled|moving).+)$/;
const PAINTS = { stroke: "none", "stroke-width": "1", "stroke-dasharray": "none", "stroke-linecap": "butt", "stroke-linejoin": "miter", opacity: "1", "paint-order": "normal" };
const NO_XML = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

function drawnNode(tag, attributes = {}, ...inside) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...inside);
  return element;
}

// Return a copy of an SVG element that says by attributes what style sheets say of it, null if it
// shows nothing.
function plainCopy(element) {
  if (element.nodeType === Node.TEXT_NODE) return element.data.trim() ? element.cloneNode() : null;
  if (element.nodeType !== Node.ELEMENT_NODE) return null;
  const style = getComputedStyle(element);
  if (element.matches("title, desc")) return drawnNode(element.tagName, {}, element.textContent);
  if (style.display === "none" || (element.matches(".fo") && style.stroke === "none")) return null;
  const isRoot = element.matches("svg");
  const copy = drawnNode(isRoot ? "g" : element.tagName);
  for (const { name, value } of element.attributes) if (!isRoot && PLACED.test(name)) copy.setAttribute(name, value);
  if (isRoot || element.matches("g")) paintGroup(copy, style);
  else paintShape(copy, style, element.matches("text, tspan"));
  copy.append(...[...element.childNodes].map(plainCopy).filter(Boolean));
  return element.matches("g") && !copy.childNodes.length && !element.dataset.arrow ? null : copy;
}

function paintGroup(copy, style) {
  if (style.opacity !== "1") copy.setAttribute("opacity", style.opacity);
}

function paintShape(copy, style, isText) {
  const without = (text) => text.replace(/(\d)px/g, "$1").replace(/(\d), /g, "$1 ");
  copy.setAttribute("fill", style.fill);
  for (const [name, usual] of Object.entries(PAINTS)) {
    const value = style.getPropertyValue(name);
    const idle = value === usual || (/^stroke-/.test(name) && style.stroke === "none");
    if (!idle) copy.setAttribute(name, name === "stroke" ? value : without(value));
  }
  if (!isText) return;
  for (const name of ["font-family", "font-size", "font-weight"]) copy.setAttribute(name, without(style.getPropertyValue(name)));
}

// The sheet on which a file is put together: its parts, and how far down they reach.
class FileSheet {
  constructor(player) {
    const { root } = player;
    measureWith(root);
    const style = getComputedStyle(root);
    const of = (name) => style.getPropertyValue(`--al-${name}`).trim();
    this.colours = { ink: of("ink"), muted: of("muted"), panel: of("panel"), line: of("hair"), accent: of("accent") };
    this.fonts = measured.fonts;
    this.parts = [];
    this.down = FILE_EDGE;
  }

  put(...parts) {
    this.parts.push(...parts.filter(Boolean));
  }

  // Put a text at (x, y); `y` is its base line.
  text(x, y, text, look = "plain", role = "ink") {
    const [, size, weight, isCode] = LOOKS[look];
    this.put(drawnNode("text", { x, y, fill: this.colours[role], "font-family": this.fonts[isCode ? 1 : 0], "font-size": size, "font-weight": weight }, text));
  }

  // Put a text of several lines from (x, y) on; return how many px it takes.
  lines(x, y, text, room, look = "plain", role = "ink") {
    const lines = wrappedText(text, room, look);
    lines.forEach((line, at) => this.text(x, y + 13 + at * FILE_LINE, line, look, role));
    return lines.length * FILE_LINE;
  }

  // Put a drawn element of the page at (x, y), as large as it is there.
  drawing(element, x, y, attributes = {}) {
    for (const animation of element.getAnimations({ subtree: true })) animation.finish();
    const copy = plainCopy(element);
    const [left, top] = (element.getAttribute("viewBox") || "0 0").split(/[\s,]+/).map(Number);
    copy.setAttribute("transform", `translate(${px(x - left)} ${px(y - top)})`);
    for (const [name, value] of Object.entries(attributes)) copy.setAttribute(name, value);
    this.put(copy);
  }
}

// Return `text` as lines of at most `room` px; a word that is wider is broken.
function wrappedText(text, room, look) {
  const lines = [];
  let line = "";
  const fits = (more) => textWidth(more, look) <= room;
  for (const word of text.split(/\s+/).filter(Boolean)) {
    let rest = word;
    if (line && fits(`${line} ${rest}`)) {
      line += ` ${rest}`;
      continue;
    }
    if (line) lines.push(line);
    while (!fits(rest)) {
      let kept = rest.length - 1;
      while (kept > 1 && !fits(rest.slice(0, kept))) kept -= 1;
      if (kept < 1) break;
      lines.push(rest.slice(0, kept));
      rest = rest.slice(kept);
    }
    line = rest;
  }
  return line ? [...lines, line] : lines;
}

const sizeOf = (svg) => ["width", "height"].map((name) => Number(svg.getAttribute(name)));

// Return {name, svg, width, height}: the step that `player` shows, as a file.
function pictureFile(player) {
  const { story, now, stage } = player;
  const step = story.step(now.i);
  const sheet = new FileSheet(player);
  for (const picture of stage.pictures) picture.swing.finish();
  const groups = picturesOf(stage);
  const panels = stage.side ? stage.side.panels : [];
  const across = Math.min(panels.length, groups.length > 1 || panels.length < 3 ? 2 : panels.length);
  const column = Math.max(FILE_COLUMN, ...panels.map(({ body }) => sizeOf(body.querySelector("svg") || node("i"))[0] + 16));
  const wide = groups.slice(0, 2).reduce((sum, { size }) => sum + size[0] + FILE_GAP, -FILE_GAP);
  const inner = Math.max(FILE_LEAST, wide, across * (column + FILE_GAP) - FILE_GAP);
  headOf(sheet, story, step, inner);
  putPictures(sheet, groups);
  if (panels.length) putPanels(sheet, panels, across, (inner + FILE_GAP) / across - FILE_GAP);
  putLegend(sheet, stage, inner);
  const size = [inner + 2 * FILE_EDGE, sheet.down + FILE_EDGE].map(Math.ceil);
  return { name: fileName(story.title, step.i), svg: wholeFile(sheet, story, step, size), width: size[0], height: size[1] };
}

// Title, number of the step, what happens: what the bar says.
function headOf(sheet, story, step, inner) {
  const name = `${say("bar.count", { i: step.i, last: story.last })} · ${step.title}`;
  const line = step.operation >= 0 && step.line !== step.title ? step.line : "";
  if (story.title) sheet.down += sheet.lines(FILE_EDGE, sheet.down, story.title, inner, "title") + 3;
  sheet.down += sheet.lines(FILE_EDGE, sheet.down, line ? `${name} · ${line}` : name, inner, "strong", "accent");
  sheet.down += sheet.lines(FILE_EDGE, sheet.down, saidAt(step), inner) + 8;
}

// The pictures that stand on the stage, each with the designs that it is for.
function picturesOf(stage) {
  if (!stage.side) return [{ svg: stage.picture.svg, size: drawnSize(stage.picture.svg), head: "" }];
  return stage.side.pictures.filter(({ element }) => !element.hidden)
    .map(({ picture, head }) => ({ svg: picture.svg, size: drawnSize(picture.svg), head: head.textContent }));
}

// The width of a picture, and how far down it is drawn: room that is kept for later steps is left out.
function drawnSize(svg) {
  const [width, height] = sizeOf(svg);
  const box = svg.getBBox();
  return [width, Math.min(height, Math.ceil(box.y + box.height) + 6)];
}

function putPictures(sheet, groups) {
  for (let at = 0; at < groups.length; at += 2) {
    const row = groups.slice(at, at + 2);
    let x = FILE_EDGE;
    for (const { svg, size, head } of row) {
      if (head) sheet.text(x, sheet.down + 13, head, "strong");
      sheet.drawing(svg, x, sheet.down + (head ? 20 : 0), { "data-part": "picture" });
      x += size[0] + FILE_GAP;
    }
    sheet.down += Math.max(...row.map(({ size, head }) => size[1] + (head ? 20 : 0))) + FILE_GAP;
  }
}

// The designs: name, cost, graph, how the page is found.
function putPanels(sheet, panels, across, column) {
  for (let at = 0; at < panels.length; at += across) {
    const ends = panels.slice(at, at + across).map((panel, place) => putPanel(sheet, panel, FILE_EDGE + place * (column + FILE_GAP), column));
    sheet.down = Math.max(...ends) + FILE_GAP;
  }
}

function putPanel(sheet, { body, cost, element }, x, column) {
  const { design } = element.dataset;
  let y = sheet.down;
  y += sheet.lines(x, y, design, column, "strong");
  y += sheet.lines(x, y, cost.textContent, column, "small", "muted") + 4;
  const graph = body.querySelector("svg");
  if (graph) {
    sheet.drawing(graph, x, y, { "data-design": design });
    y += sizeOf(graph)[1] + 4;
  }
  for (const told of body.querySelectorAll("p")) y += sheet.lines(x, y, told.textContent, column, "small");
  return y;
}

function putLegend(sheet, stage, inner) {
  const entries = [...stage.legend.children].map((one) => ({ sign: one.querySelector("svg"), text: [...one.childNodes].filter((each) => !each.matches?.("svg")).map((each) => each.textContent).join(" ").trim() }));
  let x = FILE_EDGE;
  for (const { sign, text } of entries) {
    const [wide, high] = sign ? sizeOf(sign) : [0, 0];
    const all = wide + (sign ? 6 : 0) + textWidth(text, "small");
    if (x > FILE_EDGE && x + all > FILE_EDGE + inner) {
      x = FILE_EDGE;
      sheet.down += 24;
    }
    if (sign) sheet.drawing(sign, x, sheet.down + 11 - high / 2);
    sheet.text(px(x + wide + (sign ? 6 : 0)), sheet.down + 15.4, text, "small", "muted");
    x += all + 18;
  }
  if (entries.length) sheet.down += 22;
}

function wholeFile(sheet, story, step, [width, height]) {
  const told = changesTold(story, step.i).map(([sign, text]) => `${sign} ${text}`);
  const root = drawnNode("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "data-step": step.i },
    drawnNode("title", {}, `${story.title || say("player.untitled")}: ${say("bar.count", { i: step.i, last: story.last })}, ${step.title}`),
    drawnNode("desc", {}, [saidAt(step), ...told].join("\n")),
    drawnNode("rect", { width, height, fill: sheet.colours.panel }), ...sheet.parts);
  return new XMLSerializer().serializeToString(root).replace(NO_XML, "\uFFFD");
}

// Return a name for a file that every system takes, without its ending.
function fileName(title, i) {
  const plain = title.normalize("NFC").toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "");
  return `${[...plain].slice(0, 48).join("").replace(/-$/, "") || "anonlab"}-step-${i}`;
}

// Return the file as pixels, twice as fine; throws where a page may not draw it.
async function pixelsOf({ svg, width, height }) {
  const image = new Image(width, height);
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = node("canvas", { width: 2 * width, height: 2 * height });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  const made = await new Promise((done) => canvas.toBlob(done, "image/png"));
  if (!made) throw new Error("a canvas of this size is empty");
  return made;
}
