// Makers of elements, shared by all files of the player.

// Return an element; attributes that are false, null or undefined are left out, true is "".
function node(tag, attributes = {}, ...inside) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...inside.filter((one) => one !== null && one !== undefined && one !== ""));
  return element;
}

const MARKUP = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

// Return `text` as markup that shows it.
const safe = (text) => String(text).replace(/[&<>"]/g, (letter) => MARKUP[letter]);

// A button; `name` is what it does.
const control = (name, text, attributes = {}) => node("button", { type: "button", "data-do": name, ...attributes }, text);

// Set a text or an attribute only if it differs: a step touches few of them.
function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function attribute(element, name, value) {
  const wanted = value === false || value === null || value === undefined ? null : value === true ? "" : String(value);
  if (element.getAttribute(name) === wanted) return;
  if (wanted === null) element.removeAttribute(name);
  else element.setAttribute(name, wanted);
}

// Set the markup inside an element only if it differs from what was set last.
function fillIn(element, markup) {
  if (element.filled === markup) return false;
  element.filled = markup;
  element.innerHTML = markup;
  return true;
}

const off = (element, is) => attribute(element, "aria-disabled", is ? "true" : "false");

// The sign of a change: circle N, diamond C, square G. Shape, letter and colour say the same.
const SIGN_SHAPES = {
  N: '<circle class="al-badge" r="8.5"/>',
  C: '<path class="al-badge" d="M0-11 11 0 0 11-11 0z"/>',
  G: '<rect class="al-badge" x="-8" y="-8" width="16" height="16"/>',
};

function signMarkup(sign) {
  if (!SIGN_SHAPES[sign]) return "";
  return `<svg class="al-sign" viewBox="-11 -11 22 22" width="22" height="22" aria-hidden="true">${SIGN_SHAPES[sign]}<text class="al-letter" y="4.3" text-anchor="middle">${safe(say(`mark.${sign}`))}</text></svg>`;
}

// The sign of a judged answer or a probe.
const JUDGED = { hit: "✓", missed: "?", extra: "×", miss: "×", wait: "" };
const judgedMarkup = (how) => `<span class="al-judged ${how}" aria-hidden="true">${JUDGED[how]}</span>`;

// Move the one tab stop of a group to `element` and focus it.
function rove(all, element, focus = true) {
  for (const one of all) attribute(one, "tabindex", one === element ? "0" : "-1");
  if (focus && element) element.focus({ preventScroll: true });
}

const clamp = (number, least, most) => Math.max(least, Math.min(most, number));
