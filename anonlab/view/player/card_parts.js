// The parts of a question card, one class per kind. A part has `element`, `answer()`, `wrong()` (what
// is missing or cannot be read, "" if nothing), `focus()`; its class has `same(answer, truth)` and
// `words(part, answer)`.

class Part {
  constructor(part, number, card) {
    Object.assign(this, { part, number, card });
    this.element = node("fieldset", {}, node("legend", {}, part.text));
    this.build();
  }

  label(text) {
    return `${this.card.prefix}p${this.number}-${text}`;
  }

  wrong() {
    return this.answer() === null ? say("card.missing", { part: this.part.text }) : "";
  }

  focus() {
    this.element.querySelector("input, button")?.focus();
  }

  static same(answer, truth) {
    return String(answer).trim() === String(truth).trim();
  }

  static words(part, answer) {
    return answer === null || answer === undefined ? "" : String(answer);
  }
}

class NumberPart extends Part {
  build() {
    const { least = 0, most = 999, unit, text } = this.part;
    this.input = node("input", { type: "number", min: least, max: most, step: "1", inputmode: "numeric", "data-part": this.number, "aria-label": text, placeholder: "?" });
    const less = control("less", "−", { "data-part": this.number, "aria-label": say("card.less", { part: text }) });
    const more = control("more", "+", { "data-part": this.number, "aria-label": say("card.more", { part: text }) });
    less.addEventListener("click", () => this.bump(-1));
    more.addEventListener("click", () => this.bump(1));
    this.element.append(node("div", { class: "al-stepper" }, less, this.input, more, unit ? node("span", { "aria-hidden": "true" }, unit) : ""));
  }

  bump(by) {
    const { least = 0, most = 999 } = this.part;
    const now = this.input.value === "" ? (by > 0 ? least - 1 : least + 1) : Number(this.input.value);
    this.input.value = String(clamp(now + by, least, most));
  }

  answer() {
    return this.input.value.trim() === "" ? null : Number(this.input.value);
  }

  wrong() {
    const { least = 0, most = 999, text } = this.part;
    const number = this.answer();
    const fits = number !== null && Number.isInteger(number) && number >= least && number <= most;
    if (fits) return "";
    const said = this.input.validity.badInput || number !== null;
    return said ? say("card.number", { part: text, least, most }) : super.wrong();
  }

  focus() {
    this.input.focus();
  }

  static same(answer, truth) {
    return Number(answer) === Number(truth);
  }

  static words(part, answer) {
    return answer === null || answer === undefined ? "" : `${answer}${part.unit ? ` ${Number(answer) === 1 ? part.one ?? part.unit : part.unit}` : ""}`;
  }
}

class ChoicePart extends Part {
  build() {
    const type = this.part.kind === "several" ? "checkbox" : "radio";
    this.inputs = this.part.options.map((_, option) => node("input", { type, name: this.label("q"), value: option, "data-part": this.number }));
    this.element.append(...this.inputs.map((input, option) => node("label", {}, input, node("span", {}, this.part.options[option]))));
  }

  answer() {
    const at = this.inputs.findIndex((input) => input.checked);
    return at < 0 ? null : at;
  }

  static words(part, answer) {
    return answer === null || answer === undefined ? "" : part.options[answer];
  }
}

class SeveralPart extends ChoicePart {
  build() {
    super.build();
    this.element.addEventListener("change", () => {
      this.asked = false;
    });
  }

  answer() {
    return this.inputs.flatMap((input, option) => (input.checked ? [option] : []));
  }

  wrong() {
    return this.asked || this.answer().length ? "" : say("card.empty", { part: this.part.text });
  }

  static same(answer, truth) {
    return answer.length === truth.length && answer.every((one) => truth.includes(one));
  }

  static words(part, answer) {
    const names = part.short ?? part.options;
    return answer && answer.length ? answer.map((one) => names[one]).join(", ") : answer ? say("card.nothing") : "";
  }
}

class MarkPart extends Part {
  build() {
    this.line = node("p", { "data-marked": "", role: "status" });
    this.element.append(this.line);
    this.count(0);
  }

  count(n) {
    put(this.line, n ? say("card.marked", { n }) : say("card.unmarked"));
  }

  answer() {
    return this.card.host.marks ? [...this.card.host.marks()] : null;
  }

  focus() {
    this.card.focus();
  }

  static words(part, answer) {
    return answer ? say("card.places", { n: answer.length }) : "";
  }
}

class TextPart extends Part {
  build() {
    const hint = this.part.how ? node("p", { class: "al-small", id: this.label("how") }, this.part.how) : "";
    this.input = node("input", { type: "text", autocomplete: "off", spellcheck: "false", "data-part": this.number, "aria-label": this.part.text, "aria-describedby": hint ? this.label("how") : null });
    this.element.append(this.input, hint);
  }

  answer() {
    return this.input.value.trim() || null;
  }

  static same(answer, truth) {
    const plain = (text) => String(text).trim().toLowerCase().replace(/\s+/g, " ");
    return plain(answer) === plain(truth);
  }
}

// Rows that are put in order: by dragging, by their two buttons, or by the keys up and down.
class OrderPart extends Part {
  build() {
    this.list = node("ol", { class: "al-order" }, ...this.part.items.map((text, item) => this.row(text, item)));
    this.said = node("p", { class: "al-hidden", role: "status" });
    this.element.append(this.list, this.said);
    this.list.addEventListener("keydown", (event) => this.key(event));
    this.list.addEventListener("pointerdown", (event) => this.grab(event));
  }

  row(text, item) {
    const button = (name, sign, by) => {
      const one = control(name, sign, { "data-part": this.number, "aria-label": say(`card.${name}`, { item: text }) });
      one.addEventListener("click", () => this.move(one.closest("li"), by));
      return one;
    };
    return node("li", { "data-item": item, class: item === this.part.line ? "al-line-below" : null }, node("span", { class: "al-grip", "aria-hidden": "true" }, "⠿"), node("span", { class: "al-item" }, text), button("up", "↑", -1), button("down", "↓", 1));
  }

  move(row, by) {
    const rows = [...this.list.children];
    const to = clamp(rows.indexOf(row) + by, 0, rows.length - 1);
    this.place(row, to);
  }

  place(row, to) {
    const rows = [...this.list.children];
    const from = rows.indexOf(row);
    if (from === to) return;
    const focused = row.contains(document.activeElement) ? document.activeElement : null;
    if (to > from) rows[to].after(row);
    else rows[to].before(row);
    if (focused) focused.focus();
    put(this.said, say("card.placed", { item: this.part.items[row.dataset.item], place: to + 1, of: rows.length }));
  }

  key(event) {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const row = event.target.closest("li");
    if (!by || !row) return;
    event.preventDefault();
    event.stopPropagation();
    this.move(row, by);
  }

  grab(event) {
    const row = event.target.closest("li");
    if (!row || event.target.closest("button") || event.button) return;
    event.preventDefault();
    row.classList.add("held");
    const move = (at) => {
      const rows = [...this.list.children];
      const to = rows.findIndex((one) => at.clientY < one.getBoundingClientRect().bottom);
      this.place(row, to < 0 ? rows.length - 1 : to);
    };
    const drop = () => {
      row.classList.remove("held");
      for (const [name, act] of [["pointermove", move], ["pointerup", drop], ["pointercancel", drop]]) document.removeEventListener(name, act);
    };
    for (const [name, act] of [["pointermove", move], ["pointerup", drop], ["pointercancel", drop]]) document.addEventListener(name, act);
  }

  answer() {
    return [...this.list.children].map((row) => Number(row.dataset.item));
  }

  static same(answer, truth) {
    return answer.length === truth.length && answer.every((one, at) => one === truth[at]);
  }

  static words(part, answer) {
    if (!answer) return "";
    const at = answer.includes(part.line) ? answer.indexOf(part.line) : answer.length;
    const [above, below] = [answer.slice(0, at), answer.slice(at + 1)].map((some) => some.map((one) => part.items[one]));
    return say("card.order", { items: above.join(" → "), others: below.join("; ") });
  }
}

const PARTS = { number: NumberPart, choice: ChoicePart, several: SeveralPart, mark: MarkPart, order: OrderPart, text: TextPart };
