// The overview of a long trace: processes as lanes, births, programs, copies and ends as marks, a
// click jumps. Beside it a box to go to a step by its number.

const LONG = 60; // steps from which a story has an overview
const STRIP = 58; // px
const MOST_LANES = 6;
const LANE = 8;

// What labels say in the strip: one mark for each operation, and one for each copy.
const EVENTS = [["fork", /^(fork|vfork|clone\w*)$/], ["exec", /^exec\w*$/], ["copy", /(wp_copy|mremap\.copy)$/], ["exit", /^exit$/]];
const eventOf = (label) => (EVENTS.find(([, names]) => names.test(label)) || [""])[0];

class Overview {
  constructor(player) {
    this.player = player;
    this.strip = node("div", { class: "al-strip" });
    this.box = node("input", { type: "number", min: "0", step: "1", "aria-label": say("overview.box"), "data-part": "goto" });
    this.key = node("div", { class: "al-marks", "aria-hidden": "true" });
    this.element = node("div", { class: "al-overview", role: "group", "aria-label": say("overview.name"), "data-part": "overview", hidden: true },
      node("div", { class: "al-goto" }, node("label", {}, say("overview.goto"), " ", this.box), this.key), this.strip);
    this.box.addEventListener("change", () => this.enter());
    this.box.addEventListener("keydown", (event) => event.key === "Enter" && this.enter());
    this.strip.addEventListener("pointerdown", (event) => this.press(event));
  }

  height() {
    return this.element.hidden ? 0 : STRIP;
  }

  load(story) {
    this.story = story;
    this.lanes = null;
    this.drawn = "";
    this.element.hidden = story.last < LONG;
    attribute(this.box, "max", story.last);
  }

  enter() {
    const wanted = this.box.value.trim();
    const step = Number(wanted);
    if (wanted === "" || !Number.isInteger(step) || step < 0 || step > this.story.last) {
      this.player.bar.hear(say("overview.wrong", { last: this.story.last }));
      this.box.value = String(this.player.now.i);
      return;
    }
    this.player.stop();
    this.player.go(step);
  }

  press(event) {
    const box = this.strip.getBoundingClientRect();
    const at = (x) => clamp(Math.round(((x - box.left - 4) / (box.width - 8)) * this.story.last), 0, this.story.last);
    const move = (one) => this.player.go(at(one.clientX), false);
    const up = () => {
      document.removeEventListener("pointermove", move);
      document.removeEventListener("pointerup", up);
    };
    event.preventDefault();
    this.player.stop();
    document.addEventListener("pointermove", move);
    document.addEventListener("pointerup", up);
    move(event);
  }

  // Nothing behind a question that has no answer yet is drawn.
  paint(now) {
    if (this.element.hidden || now.big) return;
    const gate = this.player.gate(now.i, this.story.last) || this.story.last + 1;
    const { width } = this.player.room;
    const wanted = `${width} ${gate}`;
    if (this.drawn !== wanted) {
      this.drawn = wanted;
      this.draw(width - 222, gate);
    }
    if (document.activeElement !== this.box) this.box.value = String(now.i);
    const here = this.strip.querySelector(".al-here");
    if (here) here.setAttribute("transform", `translate(${this.x(now.i)} 0)`);
  }

  x(i) {
    return Math.round((4 + (i * (this.wide - 8)) / Math.max(1, this.story.last)) * 10) / 10;
  }

  draw(wide, gate) {
    this.wide = Math.max(120, wide);
    this.lanes ??= lanesOf(this.story);
    const count = 1 + Math.max(0, ...this.lanes.map((one) => one.lane));
    const y = (lane) => 6 + Math.min(lane, MOST_LANES - 1) * LANE;
    const paths = { line: "", fork: "", exec: "", copy: "", exit: "" };
    for (const { first, last, lane, events } of this.lanes) {
      if (first < gate) paths.line += `M${this.x(first)} ${y(lane)}H${this.x(Math.min(last, gate - 1))}`;
      for (const [i, event] of events) if (i < gate) paths[event] += this.mark(event, this.x(i), y(lane));
    }
    const height = STRIP - 10;
    const drawn = Object.entries(paths).map(([name, path]) => `<path class="al-lane ${name}" d="${path}"/>`).join("");
    const more = count > MOST_LANES ? say("overview.more", { n: count - MOST_LANES + 1 }) : "";
    const name = say("overview.said", { n: this.lanes.length, names: this.lanes.slice(0, 20).map((one) => one.name).join(", ") });
    this.strip.innerHTML = `<svg width="${this.wide}" height="${height}" viewBox="0 0 ${this.wide} ${height}" role="img" aria-label="${safe(`${name} ${more}`.trim())}">${drawn}<g class="al-here"><path d="M0 0V${height}"/></g></svg>`;
    this.strip.title = more;
    const sample = (event) => `<span><svg width="10" height="12" viewBox="0 0 10 12"><path class="al-lane ${event}" d="${this.mark(event, 5, 6)}"/></svg>${safe(say(`overview.${event}`))}</span>`;
    fillIn(this.key, EVENTS.map(([event]) => event).filter((event) => paths[event]).map(sample).join(""));
  }

  mark(event, x, y) {
    if (event === "fork") return `M${x} ${y - 4}l3 4-3 4-3-4z`;
    if (event === "exec") return `M${x - 2.5} ${y - 2.5}h5v5h-5z`;
    if (event === "exit") return `M${x - 2.5} ${y - 2.5}l5 5m0-5l-5 5`;
    return `M${x} ${y - 3.5}v7`;
  }
}

// Return the processes that acted: {name, first, last, lane, events: [[step, event]]}. A lane is used
// again when its process has ended.
function lanesOf(story) {
  const found = new Map();
  for (let i = 0; i <= story.last; i += 1) {
    const { process, label } = story.step(i);
    if (!process) continue;
    if (!found.has(process)) found.set(process, { name: process, first: i, last: i, events: [] });
    const one = found.get(process);
    one.last = i;
    const event = eventOf(label);
    if (event) one.events.push([i, event]);
  }
  const free = [];
  for (const one of found.values()) {
    const at = free.findIndex((last) => last < one.first);
    one.lane = at < 0 ? free.length : at;
    free[one.lane] = one.last;
  }
  return [...found.values()];
}
