// The player around the picture: what is shown now, how one goes on, how large everything is.
//
// `link` joins it to its host: get(name), set(name, value), and what Python judges. `now` is the
// whole state; painting is a function of the story and of `now`.

const PAUSE = 1400; // ms a step is shown while playing
const WIDE = 1180;
const NARROW = 900;
const CROWDED = 760; // px of height
const BAR = 88;
const TABS = 36;
const ALL_PROBES = Infinity;

class Player {
  constructor(root, link, prefix) {
    Object.assign(this, { root, link, prefix, story: null, card: null });
    this.now = { i: 0, tab: "", chosen: "", probe: ALL_PROBES, big: false, blank: false, timer: 0, asked: -1, judged: null, marks: new Set() };
    this.room = { width: 1000, height: 640, narrow: false };
    this.saver = new Saver(this);
    this.bar = new Bar(this);
    this.left = new Left(this);
    this.stage = new Stage(this);
    this.overview = new Overview(this);
    this.tabs = new Tabs(this);
    this.keys = new Keys(this);
    const floor = node("div", { class: "al-floor" }, this.stage.element, this.left.element);
    this.nextBig = node("p", { class: "al-next1 al-nextbig" });
    this.blank = node("div", { class: "al-blank", "aria-hidden": "true" });
    this.heading = onPage() ? node("h1", { class: "al-hidden" }) : ""; // in a notebook cells have headings of their own
    root.append(...(this.heading ? [this.heading] : []), this.bar.element, floor, this.overview.element, this.tabs.list, this.tabs.panel, this.nextBig, this.blank);
    root.addEventListener("click", (event) => this.click(event));
    this.watch();
  }

  // Take another story; what was chosen and opened stays if it is there, too.
  load(story, step) {
    this.stop();
    const had = this.root.contains(document.activeElement);
    this.story = story;
    Object.assign(this.now, { i: clamp(step, 0, story.last), asked: -1, judged: null, chosen: this.link.get("chosen") || "" });
    this.now.marks.clear();
    this.card = null;
    this.left.setCard(null);
    this.left.load(story);
    this.stage.load(story);
    this.overview.load(story);
    this.tabs.load(story);
    if (!this.tabs.tabs.includes(this.now.tab)) this.now.tab = "";
    if (this.heading) put(this.heading, story.title || say("player.untitled"));
    attribute(this.root, "aria-label", say("player.name", { title: story.title }));
    this.measure();
    this.paint(false);
    if (had) this.keepFocus();
  }

  // ---- going

  // Go to step `to`; a question on the way is asked first.
  go(to, move = true) {
    const { now, story } = this;
    const goal = clamp(to, 0, story.last);
    if (now.asked >= 0 && goal > now.i) return this.card.focus();
    if (to < 0 || to > story.last) this.bar.hear(say(to < 0 ? "bar.isfirst" : "bar.islast"));
    const gate = this.gate(now.i, goal);
    if (gate) return this.ask(gate);
    if (goal === now.i && !now.judged) return this.stop();
    return this.show(goal, move && Math.abs(goal - now.i) === 1);
  }

  // Show step i, whoever wants it.
  show(i, move = false) {
    const { now } = this;
    if (this.card) this.closeCard();
    Object.assign(now, { i, asked: -1, judged: null, probe: ALL_PROBES });
    this.link.set("step", i);
    this.paint(move);
  }

  jump(operation) {
    this.stop();
    const parts = this.story.partsOf(operation);
    if (parts) this.go(parts[1]);
  }

  // Return the first step after `from`, up to `to`, with a question that has no answer yet; 0: none.
  gate(from, to) {
    const kept = this.link.get("predictions") || {};
    const steps = Object.keys(this.story.ask || {}).map(Number).filter((step) => step > from && step <= to && !(step in kept));
    return steps.length ? Math.min(...steps) : 0;
  }

  play() {
    const { now, story } = this;
    if (now.timer) return this.stop();
    if (now.i === story.last) return this.bar.hear(say("bar.islast"));
    now.timer = setInterval(() => {
      if (now.i >= story.last || now.asked >= 0 || !this.root.isConnected) this.stop();
      else this.go(now.i + 1);
    }, PAUSE);
    return this.paint(false);
  }

  stop() {
    if (!this.now.timer) return;
    clearInterval(this.now.timer);
    this.now.timer = 0;
    if (this.story) put(this.bar.buttons.play, say("bar.play"));
  }

  // ---- questions

  ask(step) {
    const { now, story } = this;
    this.stop();
    const near = step - 1 - now.i;
    Object.assign(now, { i: step - 1, asked: step, judged: null, chosen: "" });
    now.marks.clear();
    this.link.set("step", now.i);
    this.card = makeCard(story.ask[step], `${this.prefix}card${step}-`, {
      next: say("left.next", { what: nextMarkup(story, step - 1) }),
      marks: () => now.marks,
      markTruth: () => this.stage.changedKeys(step),
      judge: (card, answers) => this.link.judge(step, card, answers),
      told: () => story.step(step).sentence,
      onLock: (first, verdict, more) => this.locked(step, first, verdict, more),
      onClose: () => this.closeReveal(),
    });
    this.left.setCard(this.card.element);
    this.measure();
    this.paint(near === 1);
    this.card.focus();
  }

  locked(step, answers, verdict, { gaveUp }) {
    const { now } = this;
    const places = (verdict.parts.find((part) => part.places) || {}).places || {};
    const named = (how) => Object.keys(places).filter((key) => places[key] === how);
    const marks = [...now.marks];
    const kept = { answers: answers.map((one) => (one instanceof Set ? [...one] : one)), marks, hit: named("hit"), missed: named("missed"), extra: named("extra"), gave_up: gaveUp };
    Object.assign(kept, { known: !gaveUp, title: this.story.step(step).title, names: this.placeNames([...marks, ...Object.keys(places)]) });
    this.link.set("predictions", { ...(this.link.get("predictions") || {}), [step]: kept });
    const shows = this.story.ask[step].shows ?? step;
    Object.assign(now, { i: shows, asked: -1, judged: gaveUp ? {} : places, probe: ALL_PROBES });
    now.marks.clear();
    this.link.set("step", shows);
    if (!verdict.said) this.card.setSaid(this.link.get("keeping") || say("card.notkept"));
    this.paint(true);
  }

  // Return {key: "page 0x31000 of child" or "frame 3"} of places that stand in the picture.
  placeNames(keys) {
    const named = (key) => {
      const option = this.root.querySelector(`[data-key="${key}"]`);
      return option ? option.getAttribute("aria-label").replace(/^[^;]*; /, "").split(", ")[0] : key;
    };
    return Object.fromEntries(keys.map((key) => [key, named(key)]));
  }

  // Leave the reveal: the story stands in its place again, the focus goes to Next.
  closeReveal() {
    this.now.judged = null;
    this.closeCard();
    this.paint(false);
    this.bar.buttons.next.focus({ preventScroll: true });
  }

  closeCard() {
    this.card = null;
    this.now.asked = -1;
    this.left.setCard(null);
    this.measure();
  }

  // ---- choosing

  // Choose the thing `key` of the picture, mark it while a question asks for marks.
  choose(key) {
    const { now } = this;
    if (this.stage.toggleRun(key)) return this.paint(false);
    if (now.asked >= 0) {
      if (!this.story.ask[now.asked].parts.some((part) => part.kind === "mark")) return undefined;
      if (!now.marks.delete(key)) now.marks.add(key);
      this.card.setMarks(now.marks.size);
    } else {
      now.chosen = now.chosen === key ? "" : key;
      now.probe = now.tab === "rmap" ? 0 : ALL_PROBES;
      this.link.set("chosen", now.chosen);
    }
    return this.paint(false);
  }

  setTab(tab) {
    const { now } = this;
    now.tab = now.tab === tab ? "" : tab;
    this.measure();
    this.paint(false);
    if (now.tab && this.room.above) this.root.scrollIntoView({ block: "nearest" });
  }

  // ---- lecture mode

  setBig(big) {
    const { now, root } = this;
    if (now.big === big) return;
    now.big = big;
    now.blank = false;
    this.saver.close();
    if (big && root.requestFullscreen && navigator.userActivation?.isActive) root.requestFullscreen().catch(() => {});
    else if (!big && document.fullscreenElement === root) document.exitFullscreen().catch(() => {});
    attribute(root, "data-big", big);
    this.measure();
    this.paint(false);
    this.bar.buttons.next.focus({ preventScroll: true });
  }

  // ---- sizes

  watch() {
    let frame = 0;
    this.observer = new ResizeObserver(() => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => this.resized());
    });
    this.observer.observe(this.root);
    this.onWindow = () => this.resized();
    this.onFull = () => {
      if (!document.fullscreenElement) this.setBig(false);
      else this.resized();
    };
    addEventListener("resize", this.onWindow);
    document.addEventListener("fullscreenchange", this.onFull);
  }

  resized() {
    if (!this.story || !this.root.isConnected) return;
    const { width, visible } = this.room;
    if (this.root.clientWidth === width && visibleHeight(this.root, this.now.big) === visible && hostOf(this.root).above === this.room.above) return;
    this.measure();
    this.paint(false);
  }

  // Share out the height: bar, picture, tabs and panel stay on one screen.
  measure() {
    const { root, now, story } = this;
    const width = root.clientWidth || 1000;
    const host = hostOf(root);
    const outside = host.column && !now.big;
    const narrow = width < NARROW && !now.big && !outside;
    const visible = visibleHeight(root, now.big);
    // A panel or a comparison needs the whole screen; else what the host has above stays in view, too.
    const above = now.big || now.tab || this.stage.side ? 0 : host.above;
    attribute(root, "data-outside", outside);
    const tabs = this.tabs.tabs.length && !now.big ? TABS : 0;
    const open = now.tab !== "" && tabs > 0;
    const crowded = open && visible < CROWDED;
    attribute(root, "data-crowded", crowded); // overview and designs make room for the panel
    const over = crowded || outside ? 0 : this.overview.height();
    const card = narrow && this.card;
    const column = now.big ? (this.card ? 330 : 0) : this.stage.side ? (this.card ? 228 : 0) : narrow ? (card ? Math.min(230, Math.round(visible * 0.36)) + 8 : 42) : 0;
    const bar = now.big ? this.bar.element.offsetHeight : BAR;
    const free = visible - above - bar - tabs - over - column - (now.big ? 92 : 16);
    const panel = open ? clamp(free - (narrow ? 240 : 320), narrow ? 140 : 176, 230) : 0;
    const least = now.big ? 300 : card ? 190 : narrow ? 240 : 300;
    const left = narrow || now.big || outside ? 0 : width >= WIDE ? 270 : 206;
    this.room = { width, narrow, visible, above: host.above, crowded, panel, card: column - 8, left, inner: width - (outside ? 22 : (left || 206) + 32) };
    this.room.height = Math.max(least, Math.min(now.big ? Infinity : this.stage.need(), free - panel));
    root.style.setProperty("--al-sh", `${this.room.height}px`);
    root.style.setProperty("--al-ph", `${panel}px`);
    root.style.setProperty("--al-ch", `${this.room.card}px`);
    attribute(root, "data-width", narrow ? "narrow" : width >= WIDE ? "wide" : "middle");
  }

  // ---- painting

  paint(move) {
    const { now, story, root } = this;
    const focus = root.contains(document.activeElement) ? document.activeElement : null;
    const step = story.step(now.i);
    attribute(root, "data-step", now.i);
    attribute(root, "data-state", now.asked >= 0 ? "asked" : now.judged ? "revealed" : "told");
    attribute(root, "data-chosen", now.chosen);
    this.bar.paint(step, now);
    this.saver.paint();
    this.stage.paint(step, now, move);
    if (!this.card || now.big) this.left.paint(step, now);
    this.overview.paint(now);
    this.tabs.paint(step, now);
    if (now.big) fillIn(this.nextBig, say("left.next", { what: nextMarkup(story, now.i) }));
    attribute(root, "data-blank", now.big && now.blank);
    if (!this.card) this.left.reveal();
    if (focus && !root.contains(document.activeElement)) this.keepFocus(focus);
  }

  // The control with the focus is gone: its successor has it, else the card, else Next.
  keepFocus(gone) {
    const same = gone && (gone.dataset.do ? `[data-do="${gone.dataset.do}"]` : gone.dataset.tab ? `[data-tab="${gone.dataset.tab}"]` : gone.dataset.line ? `[data-line="${gone.dataset.line}"]` : "");
    const next = same && this.root.querySelector(same);
    if (next && next.offsetParent !== null) next.focus({ preventScroll: true });
    else if (this.card) this.card.focus();
    else this.bar.buttons.next.focus({ preventScroll: true });
  }

  click(event) {
    const hit = event.target.closest("[data-do],[data-tab],[data-line],[data-key],[data-run]");
    if (!hit || hit.closest(".al-card")) return;
    const { now } = this;
    if (hit.dataset.key || hit.dataset.run) this.choose(hit.dataset.key || hit.dataset.run);
    else if (hit.dataset.tab) this.setTab(hit.dataset.tab);
    else if (hit.dataset.line) this.jump(Number(hit.dataset.line));
    else if (hit.getAttribute("aria-disabled") !== "true") {
      if (hit.dataset.do !== "play") this.stop();
      const acts = { first: () => this.go(0), prev: () => this.go(now.i - 1), next: () => this.go(now.i + 1), last: () => this.go(this.story.last), play: () => this.play(), big: () => this.setBig(!now.big), ...this.saver.acts };
      if (acts[hit.dataset.do]) acts[hit.dataset.do]();
      else this.tabs.act(hit.dataset.do);
    }
  }

  remove() {
    this.stop();
    this.keys.remove();
    this.observer.disconnect();
    removeEventListener("resize", this.onWindow);
    document.removeEventListener("fullscreenchange", this.onFull);
    this.root.remove();
  }
}

// What the host of a player says in its style sheet: how many px stand above the player on the same
// screen (--al-above), and whether the left column stands outside of it (--al-column: outside).
function hostOf(root) {
  const style = getComputedStyle(root);
  return { above: parseFloat(style.getPropertyValue("--al-above")) || 0, column: style.getPropertyValue("--al-column").trim() === "outside" };
}

const onPage = () => document.body.classList.contains("anonlab-page");

// Return the height in px that a reader sees at once: of the window, or of the notebook that scrolls
// inside it. Outputs that grow with the player do not count.
function visibleHeight(root, big) {
  let height = window.innerHeight;
  if (big) return height;
  for (let at = root.parentElement; at && at !== document.body; at = at.parentElement) {
    const { overflowY, maxHeight } = getComputedStyle(at);
    if (overflowY !== "auto" && overflowY !== "scroll") continue;
    const grows = maxHeight === "none" && /jp-OutputArea|jp-Cell/.test(at.className);
    if (!grows && at.clientHeight > 200) height = Math.min(height, at.clientHeight);
  }
  return Math.max(height, 360);
}
