// The left column: the story with its next line, what changed, what is next; a card in its place
// while a question is asked. Under 900 px a drop-down stands for the story.

const MOST_TOLD = 5;
const FEWER_TOLD = 3; // where the column is low
const LOW = 420; // px
const MOST_LINES = 160; // of the story, at once
const EDGE = 20; // lines before and after the one that is shown, where there are more
const MOST_PIPS = 10;

class Left {
  constructor(player) {
    this.player = player;
    const { prefix } = player;
    this.title = node("h2", { class: "al-title" });
    this.list = node("ol", { class: "al-story", "aria-label": say("left.story") });
    this.changed = node("div", { class: "al-changed", "data-part": "changed" });
    this.next = node("p", { class: "al-next1", "data-part": "next" });
    this.select = node("select", { class: "al-jump", id: `${prefix}jump`, "aria-label": say("left.jump") });
    this.column = node("div", { class: "al-column" }, this.title, this.list, this.changed, this.select, this.next);
    this.element = node("div", { class: "al-left" }, this.column);
    this.rows = new Map(); // operation -> its row
    this.select.addEventListener("change", () => player.jump(Number(this.select.value)));
  }

  load(story) {
    put(this.title, story.title);
    this.title.hidden = !story.title;
    this.from = -1;
    this.rows.clear();
    this.list.replaceChildren();
    this.select.replaceChildren();
    this.operations = story.operations;
    this.place = new Map(this.operations.map((operation, at) => [operation, at]));
    this.select.from = -1;
  }

  paint(step, now) {
    const { story } = this.player;
    this.now = null;
    if (this.player.room.narrow) this.paintSelect(step);
    else this.paintLines(step, now);
    if (!this.player.room.narrow || now.big) this.paintChanged(now.i);
    fillIn(this.next, say("left.next", { what: nextMarkup(story, now.i) }));
  }

  // ---- the story

  paintLines(step, now) {
    const { story } = this.player;
    const after = now.i < story.last ? story.step(now.i + 1).operation : -1;
    const next = after > step.operation ? after : this.operations[this.place.get(step.operation) + 1];
    this.window(this.place.get(step.operation));
    for (const [operation, row] of this.rows) {
      const how = operation < step.operation ? "done" : operation === step.operation ? "now" : operation === next ? "next" : "later";
      if (row.how !== how) this.paintLine(row, operation, how);
    }
    const row = this.rows.get(step.operation);
    for (const pips of this.list.querySelectorAll(".al-pips")) if (!row || !row.contains(pips)) pips.remove();
    if (row) this.paintPips(row, now.i, story.partsOf(step.operation));
    this.now = row;
  }

  // Build the rows around place `at` of the story; of a long one only some stand there.
  window(at) {
    const { operations } = this;
    const [from, to] = this.around(at, this.from);
    if (from === this.from) return;
    this.from = from;
    this.rows.clear();
    for (const operation of operations.slice(from, to)) this.rows.set(operation, this.line(this.player.story.line(operation), operation));
    const more = (n, key) => (n ? [node("li", { class: "al-more" }, say(key, { n }))] : []);
    this.list.replaceChildren(...more(from, "left.earlier"), ...this.rows.values(), ...more(operations.length - to, "left.later"));
  }

  // Return [from, to] of the lines to have there: as before while place `at` is well inside.
  around(at, before) {
    const all = this.operations.length;
    const end = (from) => Math.min(all, from + MOST_LINES);
    const inside = before >= 0 && at >= before + (before ? EDGE : 0) && at < end(before) - (end(before) < all ? EDGE : 0);
    const from = inside ? before : clamp(at - MOST_LINES / 2, 0, Math.max(0, all - MOST_LINES));
    return [from, end(from)];
  }

  line(text, operation) {
    const icon = node("span", { class: "al-icon", "aria-hidden": "true" });
    const hidden = node("span", { class: "al-hidden" });
    const button = node("button", { type: "button", "data-line": operation, tabindex: "-1" }, icon, node("span", { class: "al-line" }, hidden, text));
    const row = node("li", {}, button);
    return Object.assign(row, { icon, said: hidden, button, how: "" });
  }

  paintLine(row, operation, how) {
    row.how = how;
    row.className = `al-${how}`;
    put(row.icon, { done: "✓", now: "▸", next: "▹", later: "·" }[how]);
    put(row.said, how === "done" ? say("left.done") : how === "next" ? say("left.isnext") : "");
    attribute(row.button, "aria-current", how === "now" ? "step" : null);
    attribute(row.button, "tabindex", how === "now" ? "0" : "-1");
  }

  // One pip for each part of an operation, filled up to now.
  paintPips(row, i, [first, last]) {
    let pips = row.querySelector(".al-pips");
    if (last === first) return pips && pips.remove();
    if (!pips) row.button.lastChild.append((pips = node("span", { class: "al-pips", "aria-hidden": "true" })));
    const n = last - first + 1;
    return put(pips, n <= MOST_PIPS ? "●".repeat(i - first + 1) + "○".repeat(last - i) : `${i - first + 1}/${n}`);
  }

  // Scroll the story so that its line stands in view; called when everything else has its height.
  reveal() {
    const { now, list } = this;
    if (!now || this.player.room.narrow) return;
    const { offsetTop: top, offsetHeight: height } = now;
    const [from, room] = [list.scrollTop, list.clientHeight];
    if (top < from || top + height + 30 > from + room) list.scrollTop = Math.max(0, top - (room - height) / 2);
  }

  paintSelect(step) {
    const { operations } = this;
    const [from, to] = this.around(this.place.get(step.operation), this.select.from);
    if (this.select.from !== from) {
      this.select.from = from;
      const option = (operation) => node("option", { value: operation }, this.player.story.line(operation));
      this.select.replaceChildren(...operations.slice(from, to).map(option));
    }
    this.select.value = String(step.operation);
  }

  // ---- what changed

  paintChanged(i) {
    const { story } = this.player;
    const told = i ? changesTold(story, i) : [];
    const most = this.player.room.height < LOW ? FEWER_TOLD : MOST_TOLD;
    const rows = told.slice(0, most).map(([sign, text]) => `<li>${signMarkup(sign)}<span>${safe(text)}</span></li>`);
    if (told.length > most) rows.push(`<li>${safe(say("left.more", { n: told.length - most }))}</li>`);
    const none = `<p>${safe(i ? hiddenTold(story, i) : say("left.start"))}</p>`;
    fillIn(this.changed, `<h2>${safe(say("left.changed"))}</h2>${rows.length ? `<ul>${rows.join("")}</ul>` : none}`);
  }

  // Put a card in place of the story; null: the story again.
  setCard(card) {
    this.element.replaceChildren(card || this.column);
  }
}

// What comes next, as markup: the next line of the story, never what it will do.
function nextMarkup(story, i) {
  if (i >= story.last) return safe(say("left.end"));
  const here = story.step(i);
  const next = story.step(i + 1);
  const line = `<code>${safe(next.line)}</code>`;
  if (next.operation !== here.operation) return line;
  const [first, last] = story.partsOf(next.operation);
  return say("left.still", { line, part: i + 2 - first, of: last - first + 1 });
}
