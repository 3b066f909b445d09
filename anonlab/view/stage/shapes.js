// The smallest parts of the picture: texts that fit, boxes, icons, marks of change.

// Looks of a text: CSS classes (picture.css), size in px, weight, and whether it is code.
const LOOKS = {
  plain: ["", 13, 400, false],
  strong: ["b", 13, 700, false],
  small: ["t12", 12, 400, false],
  smallStrong: ["t12 b", 12, 700, false],
  muted: ["t12 mu", 12, 400, false],
  count: ["t12 mu halo", 12, 400, false],
  title: ["t15", 15, 700, false],
  letter: ["t15 lt", 15, 700, false],
  number: ["t18", 18, 700, false],
  code: ["m", 12.5, 400, true],
  smallCode: ["m12", 12, 400, true],
  mutedCode: ["m12 mu", 12, 400, true],
};
const MARK_NAMES = {N: "new", C: "changed", G: "gone"};
const JUDGED_SIGNS = {hit: "✓", missed: "?", extra: "×"};

const escapeText = (text) =>
  String(text).replace(/[&<>"]/g, (one) => ({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})[one]);

// Coordinates have one decimal: longer strings only cost time.
const px = (number) => Math.round(number * 10) / 10;

const measured = {canvas: null, fonts: ["sans-serif", "monospace"], widths: new Map()};

// Take the fonts of `element` for measuring; a change of fonts forgets all widths.
function measureWith(element) {
  const style = getComputedStyle(element);
  const font = (name, other) => style.getPropertyValue(name).trim() || other;
  const fonts = [font("--al-font", style.fontFamily), font("--al-mono", "monospace")];
  if (fonts.join() === measured.fonts.join()) return;
  measured.fonts = fonts;
  measured.widths.clear();
}

// Return the width of `text` in px; where there is no canvas, a wide guess.
function textWidth(text, look) {
  const id = `${look} ${text}`;
  let width = measured.widths.get(id);
  if (width !== undefined) return width;
  const [, size, weight, isCode] = LOOKS[look];
  if (!measured.canvas) measured.canvas = document.createElement("canvas").getContext("2d") || {};
  if (measured.canvas.measureText) {
    measured.canvas.font = `${weight} ${size}px ${measured.fonts[isCode ? 1 : 0]}`;
    width = measured.canvas.measureText(text).width;
  } else width = text.length * size * 0.68;
  if (measured.widths.size > 20000) measured.widths.clear();
  measured.widths.set(id, width);
  return width;
}

// Return the first of `texts` that is at most `room` px wide, else "".
const firstThatFits = (texts, room, look) =>
  texts.find((text) => text && textWidth(text, look) <= room) || "";

// Return `text`, cut with an ellipsis if it is wider than `room` px.
function fitText(text, room, look) {
  if (textWidth(text, look) <= room) return text;
  let kept = text.length - 1;
  while (kept > 0 && textWidth(`${text.slice(0, kept)}…`, look) > room) kept -= 1;
  return kept > 0 ? `${text.slice(0, kept)}…` : "";
}

// Return `text`, shortened in its middle if it is too wide: the ends of numbers tell them apart.
function fitMiddle(text, room, look) {
  const tries = [text, ...[12, 8, 5, 4, 3].filter((kept) => 2 * kept < text.length).map((kept) => `${text.slice(0, -kept).slice(0, kept + 7)}…${text.slice(-kept)}`)];
  return firstThatFits(tries, room, look) || fitText(text, room, look);
}

// Return a text element, "" for an empty text. `anchor` is start, middle or end.
function textAt(x, y, text, look, anchor = "start") {
  if (text === "") return "";
  const end = anchor === "start" ? "" : ` text-anchor="${anchor}"`;
  const classes = LOOKS[look][0];
  const named = classes ? ` class="${classes}"` : "";
  return `<text${named} x="${px(x)}" y="${px(y)}"${end}>${escapeText(text)}</text> `;
}

const boxAt = (x, y, width, height, radius = 5, name = "box") =>
  `<rect class="${name}" x="${px(x)}" y="${px(y)}" width="${px(width)}" height="${px(height)}" rx="${radius}"/>`;

// A change is said by shape, letter and colour: circle N, diamond C, square G.
function markAt(x, y, sign) {
  const [a, b] = [px(x), px(y)];
  const shape = {
    N: `<circle class="badge" cx="${a}" cy="${b}" r="8.5"/>`,
    C: `<path class="badge" d="M${a} ${px(b - 11)}l11 11-11 11-11-11z"/>`,
    G: `<rect class="badge" x="${px(a - 8)}" y="${px(b - 8)}" width="16" height="16"/>`,
  }[sign];
  return ` <g data-change="${sign}">${shape}<text class="bt" x="${a}" y="${px(b + 4.3)}" text-anchor="middle">${say(`mark.${sign}`)}</text></g>`;
}

// A pen for what may be written, a lock for what may only be read, as the zero page; 12 px wide.
function iconAt(x, y, state) {
  const place = `class="icon" transform="translate(${px(x)} ${px(y)})"`;
  if (state === "write") return `<path ${place} d="M0 4l1-4 7-7 3 3-7 7z"/>`;
  if (state === "read" || state === "zero") return `<path ${place} d="M1-1h9v6h-9zM3-1v-2.5a2.5 2.5 0 0 1 5 0V-1"/>`;
  return "";
}

// Return an option: what can be chosen or marked. Its name begins with what is seen on it.
// option  {key, look, seen [texts], more, body, box [x, y, width, height], sign}
function optionHtml(plan, option) {
  const {key, look, body, box} = option;
  const {marks, chosen} = plan.options;
  const isSelected = marks ? marks.has(key) : chosen === key;
  const seen = option.seen.filter((text) => text !== "").join(" ");
  const change = option.sign ? `, ${say(`sign.${MARK_NAMES[option.sign]}`)}` : "";
  const name = escapeText(`${seen}${option.sign ? ` ${say(`mark.${option.sign}`)}` : ""}; ${option.more}${change}`);
  const classes = `${look}${option.sign ? " ch" : ""}${isSelected ? " sel" : ""}`;
  return `<g role="option" id="${plan.options.prefix}-${key}" data-key="${key}" tabindex="-1" class="${classes}" aria-selected="${isSelected}" aria-label="${name}">`
    + `${body}${boxAt(box[0] - 2.5, box[1] - 2.5, box[2] + 5, box[3] + 5, 6, "fo")}</g>`;
}

// The sign of a judged mark, beside the slot or frame that it judges.
function judgedHtml(plan, key, [x, y, width, height], side) {
  const kind = plan.options.judged && plan.options.judged.get(key);
  if (!kind) return "";
  const at = side === "left" ? x : x + width;
  return `<g class="pb" aria-hidden="true">${boxAt(x - 5, y - 5, width + 10, height + 10, 8, `jr ${kind}`)}`
    + `<circle class="sign ${kind}" cx="${px(at)}" cy="${px(y - 2)}" r="8.5"/>`
    + `<text class="pt" x="${px(at)}" y="${px(y + 2.4)}" text-anchor="middle">${JUDGED_SIGNS[kind]}</text></g>`;
}
