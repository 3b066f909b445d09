// The bar: buttons, scrubber and count in the first row, what happens in the second. Never more than
// 90 px. The buttons are one stop of Tab, on Next; up and down choose among them.

class Bar {
  constructor(player) {
    this.player = player;
    const { prefix } = player;
    const word = (key) => node("span", { class: "al-word" }, say(key));
    this.buttons = {
      first: node("button", { type: "button", "data-do": "first", "aria-label": say("bar.first"), tabindex: "-1" }, "⇤", word("bar.first.word")),
      prev: node("button", { type: "button", "data-do": "prev", "aria-label": say("bar.prev"), tabindex: "-1" }, "←", node("span", { class: "al-words" }, ` ${say("bar.prev")}`)),
      play: control("play", say("bar.play"), { tabindex: "-1" }),
      next: control("next", say("bar.next"), { class: "al-go", tabindex: "0" }),
      last: node("button", { type: "button", "data-do": "last", "aria-label": say("bar.last"), tabindex: "-1" }, word("bar.last.word"), "⇥"),
    };
    this.range = node("input", { type: "range", min: "0", max: "0", tabindex: "-1", "aria-label": say("bar.step"), "data-part": "scrubber" });
    this.count = node("span", { class: "al-count", "data-part": "count" });
    this.big = control("big", "F", { tabindex: "-1", "aria-pressed": "false", "aria-label": say("bar.big"), title: say("bar.big"), class: "al-f" });
    this.tools = node("div", { class: "al-tools", role: "toolbar", "aria-label": say("bar.tools"), "aria-orientation": "vertical" }, ...Object.values(this.buttons), this.range, this.count, player.saver.button, this.big);
    this.name = node("b");
    this.told = node("span");
    this.words = node("span", { class: "al-words2" }, this.name, " · ", this.told);
    this.source = node("span", { class: "al-source" });
    this.sentence = node("p", { class: "al-sentence", "aria-live": "polite", "aria-atomic": "true", "data-part": "sentence" }, this.words, this.source);
    this.hint = node("p", { class: "al-hidden", role: "status", id: `${prefix}hint` });
    this.element = node("div", { class: "al-bar", role: "group", "aria-label": say("bar.name"), "data-part": "bar" }, this.tools, this.sentence, this.hint, player.saver.element);
    this.range.addEventListener("input", () => {
      player.stop();
      player.go(Number(this.range.value), false);
    });
  }

  // Say something about the controls themselves: there is no step before the first.
  hear(text) {
    this.hint.textContent = text;
  }

  paint(step, now) {
    const { last, tabs } = this.player.story;
    put(this.name, step.title);
    const said = saidAt(step);
    put(this.told, said);
    const held = now.asked >= 0;
    put(this.source, held ? say("bar.held") : tabs.length && step.source ? shortSource(step.source) : "");
    const room = this.player.room.width - (this.source.textContent && this.player.room.width >= 900 ? 260 : 24);
    const letter = now.big ? 19.5 : 7.6; // px, a little more than the letters of these fonts take
    attribute(this.sentence, "data-long", (step.title.length + said.length + 3) * letter > 2 * room - 60);
    put(this.count, say("bar.count", { i: now.i, last }));
    if (this.range.max !== String(last)) this.range.max = String(last);
    this.range.value = String(now.i);
    attribute(this.range, "aria-valuetext", say("bar.value", { i: now.i, last, title: step.title }));
    off(this.buttons.first, now.i === 0);
    off(this.buttons.prev, now.i === 0);
    off(this.buttons.next, held || now.i === last);
    off(this.buttons.last, held || now.i === last);
    put(this.buttons.play, now.timer ? say("bar.stop") : say("bar.play"));
    attribute(this.big, "aria-pressed", String(now.big));
  }
}

// What happens at a step, and what went wrong.
function saidAt(step) {
  const failed = step.error ? say("bar.failed", { error: step.error }) : "";
  return [step.sentence === step.error ? "" : step.sentence, failed].filter(Boolean).join(" ");
}

// What a step stands for, so short that it has room at the right.
function shortSource(source) {
  if (source.length <= 64) return source;
  const colon = source.indexOf(":");
  return source.slice(0, colon > 0 && colon <= 64 ? colon : 60);
}
