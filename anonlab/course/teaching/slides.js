// The deck: one slide at a time; on a stage slide the real player fills the window, in lecture mode.

const SCENES = JSON.parse(document.getElementById("anonlab-scenes").textContent);
const SLIDES = [...document.querySelectorAll(".slide")];
const TALKS = location.hash === "#speaker"; // this window has the notes of another one
const stageHost = document.getElementById("stage");

class Deck {
  constructor() {
    Object.assign(this, { at: 0, players: new Map(), theme: "", window: null, began: Date.now() });
    addEventListener("keydown", (event) => this.key(event), true);
    addEventListener("hashchange", () => this.follow());
    addEventListener("click", (event) => this.click(event), true);
    addEventListener("message", ({ data, source }) => {
      if (source === this.window && data && data.key) this.act(data.key);
    });
    addEventListener("beforeprint", () => this.look("light")); // paper is light
    addEventListener("afterprint", () => this.look());
    // Leaving the full screen takes lecture mode away from every player: give it back.
    document.addEventListener("fullscreenchange", () => setTimeout(() => this.show(this.at, null), 60));
  }

  get slide() { return SLIDES[this.at]; }

  follow() {
    const found = /^#(\d+)$/.exec(location.hash);
    this.show(found ? Math.min(Number(found[1]), SLIDES.length) - 1 : 0, false);
  }

  // Show slide `at`; `back` opens a stage at its last step, null leaves it at the step that it shows.
  async show(at, back) {
    this.at = Math.max(0, Math.min(at, SLIDES.length - 1));
    SLIDES.forEach((slide, number) => slide.classList.toggle("now", number === this.at));
    if (location.hash !== `#${this.at + 1}`) history.replaceState(null, "", `#${this.at + 1}`);
    const { scene, start, end } = this.slide.dataset;
    stageHost.hidden = scene === undefined;
    for (const [number, { player }] of this.players) {
      player.root.hidden = number !== scene;
      if (number !== scene && player.now.big) player.setBig(false);
    }
    this.tell();
    if (scene === undefined) return;
    const player = await this.player(scene);
    if (this.slide.dataset.scene !== scene) return;
    player.root.hidden = false;
    if (back !== null) player.show(Number(back ? end : start), false);
    if (!player.now.big) player.setBig(true);
  }

  // Return the player of a scene, once its story is there.
  async player(scene) {
    if (!this.players.has(scene)) {
      const model = hostModel({ frames: await unpacked(SCENES[scene]), step: 0, chosen: "", predictions: {}, keeping: "", opened: "" });
      const made = mount({ model, el: stageHost });
      made.player.root.requestFullscreen = null; // the whole deck fills the screen, not one player
      this.players.set(scene, made);
      this.look();
    }
    const { player } = this.players.get(scene);
    while (!player.story) await new Promise((done) => setTimeout(done, 10));
    return player;
  }

  // Go on or back by one: on a stage by a step, at its ends by a slide.
  go(way) {
    const { scene, start, end } = this.slide.dataset;
    const shown = scene !== undefined && this.players.get(scene);
    if (shown && shown.player.story) {
      const to = shown.player.now.i + way;
      if (to >= Number(start) && to <= Number(end)) {
        shown.player.show(to, true);
        return this.tell();
      }
    }
    const next = this.at + way;
    return next < 0 || next >= SLIDES.length ? undefined : this.show(next, way < 0);
  }

  act(key) {
    const acts = {
      ArrowRight: () => this.go(1), PageDown: () => this.go(1), " ": () => this.go(1), ArrowDown: () => this.go(1),
      ArrowLeft: () => this.go(-1), PageUp: () => this.go(-1), ArrowUp: () => this.go(-1), Backspace: () => this.go(-1),
      Home: () => this.show(0, false), End: () => this.show(SLIDES.length - 1, false),
      n: () => document.body.classList.toggle("with-notes"), s: () => this.speaker(), t: () => this.turn(),
      f: () => this.fill(), o: () => this.overview(), Escape: () => this.overview(false), Enter: () => this.overview(false),
    };
    const act = acts[key.length === 1 ? key.toLowerCase() : key];
    if (act) act();
    return Boolean(act);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" && event.target.closest && event.target.closest("#stage")) return;
    if (!this.act(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  click(event) {
    const way = { next: 1, prev: -1 }[(event.target.closest("#stage [data-do]") || { dataset: {} }).dataset.do];
    if (way) { // the player's own buttons do not run past a question
      event.stopPropagation();
      return this.go(way);
    }
    const hit = document.body.classList.contains("overview") && event.target.closest(".slide");
    if (!hit) return undefined;
    this.at = SLIDES.indexOf(hit);
    return this.overview(false);
  }

  overview(open = !document.body.classList.contains("overview")) {
    const was = document.body.classList.contains("overview");
    if (was === open) return;
    document.body.classList.toggle("overview", open);
    if (open) for (const { player } of this.players.values()) player.setBig(false);
    this.show(this.at, false);
    if (open) this.slide.scrollIntoView({ block: "center" });
  }

  fill() {
    if (document.fullscreenElement) document.exitFullscreen();
    else if (document.documentElement.requestFullscreen) document.documentElement.requestFullscreen().catch(() => {});
  }

  turn() {
    const dark = this.theme ? this.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    this.theme = dark ? "light" : "dark";
    this.look();
  }

  look(theme = this.theme) {
    for (const one of [document.body, ...document.querySelectorAll(".anonlab-player,.anonlab-picture")]) {
      if (theme) one.dataset.theme = theme;
      else delete one.dataset.theme;
    }
  }

  // A window with the notes of this slide, which follows, and passes keys on.
  speaker() {
    this.window = open(`${location.href.split("#")[0]}#speaker`, "anonlab-speaker", "width=760,height=620");
    setTimeout(() => this.tell(), 600);
  }

  tell() {
    if (!this.window || this.window.closed) return;
    const notes = [...this.slide.querySelectorAll(".notes p")].map((one) => one.textContent);
    const name = (slide) => (slide ? slide.getAttribute("aria-label") : "the end");
    this.window.postMessage({ notes, now: name(this.slide), after: name(SLIDES[this.at + 1]), began: this.began }, "*");
  }
}

// The window of the speaker: notes, what comes next, and how long it has been.
function listen() {
  const place = document.getElementById("speaker");
  document.getElementById("deck").hidden = true;
  place.hidden = false;
  place.append("Waiting for the slides. Keep this window open.");
  let began = Date.now();
  const line = (tag, text, kind = "") => Object.assign(document.createElement(tag), { textContent: text, className: kind });
  const clock = line("p", "", "clock");
  setInterval(() => { clock.textContent = `${Math.floor((Date.now() - began) / 60000)} min`; }, 1000);
  addEventListener("message", ({ data, source }) => {
    if (source !== opener || !data || !Array.isArray(data.notes)) return;
    began = data.began;
    place.replaceChildren(clock, line("h2", data.now), ...data.notes.map((note) => line("p", note)), line("p", `Next: ${data.after}`, "after"));
  });
  addEventListener("keydown", (event) => {
    if (!opener || event.ctrlKey || event.metaKey || event.altKey || event.key.toLowerCase() === "s") return;
    opener.postMessage({ key: event.key }, "*");
    if (event.key === " " || event.key.startsWith("Arrow")) event.preventDefault();
  });
}

if (TALKS) listen();
else {
  window.deck = new Deck();
  window.deck.follow();
}
