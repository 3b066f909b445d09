// The stage: the picture of one design, or those of several side by side, and the legend of what
// stands on it now.

const LEGEND = 28; // px of the legend's row; in lecture mode it stands in the picture's foot

class Stage {
  constructor(player) {
    this.player = player;
    this.legend = node("div", { class: "al-legend", "data-part": "legend" });
    this.sheets = node("div", { class: "al-sheets" });
    this.element = node("div", { class: "al-stage", "data-part": "stage" }, this.sheets, this.legend);
  }

  load(story) {
    this.story = story;
    this.side = story.designs.length > 1 ? new Side(this) : null;
    this.sheets.replaceChildren();
    if (this.side) this.side.load(story);
    else {
      const host = node("div", { class: "al-sheet" });
      this.sheets.append(host);
      this.picture = new Picture(host, story, 0, `${this.player.prefix}s`);
    }
    attribute(this.player.root, "data-side", this.side ? story.designs.length : null);
  }

  // Return the height that the story wants, the same at every step.
  need() {
    if (this.side) return this.side.need();
    return this.picture.need(Math.max(300, this.player.room.inner)) + LEGEND;
  }

  // Return the keys of the entries, frames and slots that differ at step i from the step before.
  changedKeys(i) {
    const changes = this.story.changes(i);
    const signed = (list, key) => list.filter((one) => one.sign).map(key);
    return [
      ...signed(changes.entries, ({ mm, vpn }) => slotKey(mm, vpn)),
      ...signed(changes.frames, ({ pfn }) => frameKey(pfn)),
      ...signed(changes.slots, ({ slot }) => swapKey(slot)),
    ];
  }

  // Open or close a run of folded rows; false if `key` is no run.
  toggleRun(key) {
    return this.pictures.some((picture) => picture.toggle(key));
  }

  get pictures() {
    return this.side ? this.side.pictures.map((one) => one.picture) : [this.picture];
  }

  // ---- what is chosen: a page of an address space, or a frame

  // Return {mm, vpn, pfn} of the thing `key` at a moment: vpn -1 or pfn 0 if it has none.
  thingIn(moment, key) {
    if (!key) return null;
    for (const { mm, entries } of moment.spaces.values()) {
      for (const entry of entries.values()) if (slotKey(mm, entry.vpn) === key) return { mm, vpn: entry.vpn, pfn: entry.present ? entry.pfn : 0 };
    }
    for (const pfn of moment.frames.keys()) if (frameKey(pfn) === key) return { mm: 0, vpn: -1, pfn };
    for (const { drawing } of this.pictures) {
      const thing = drawing && drawing.things.get(key);
      if (thing) return { mm: thing.mm || 0, vpn: thing.vpn ?? -1, pfn: 0 };
    }
    return null;
  }

  // Return the walk from the frame of what is chosen, null if there is none.
  walk() {
    const { now } = this.player;
    const moment = this.story.moment(now.i);
    const thing = this.thingIn(moment, now.chosen);
    return thing && thing.pfn ? moment.walks.get(thing.pfn) || null : null;
  }

  probes() {
    const { now } = this.player;
    if (now.tab !== "rmap" || now.big) return [];
    const walk = this.walk();
    return walk ? walk.probes.slice(0, Math.min(now.probe, walk.probes.length)) : [];
  }

  // ---- painting

  options(now) {
    const { width, left, height } = this.player.room;
    const outer = now.big ? width - 58 : width - left - (left ? 32 : 22);
    const asks = now.asked >= 0 && this.story.ask[now.asked].parts.some((part) => part.kind === "mark");
    return {
      width: outer, height: height - 2 - (now.big ? 0 : LEGEND), ...(now.big ? {} : { foot: 6 }), chosen: now.asked >= 0 ? "" : now.chosen, marks: asks ? now.marks : null,
      judged: now.judged ? new Map(Object.entries(now.judged)) : null, probes: this.probes(), big: now.big, deep: this.story.deep,
      changeLines: now.big ? this.changeLines(now.i) : null,
    };
  }

  // What changed, for those who sit far away; of a quiet step, what is not drawn.
  changeLines(i) {
    const told = i ? changesTold(this.story, i) : [];
    return told.length || !i ? told : [["", hiddenTold(this.story, i)]];
  }

  paint(step, now, move) {
    if (this.side) this.side.paint(step, now, move);
    else this.picture.paint(now.i, this.options(now), { move: move && !stillness() });
    this.paintLegend(now);
  }

  // The legend names only what is on the stage.
  paintLegend(now) {
    const drawn = this.pictures.map((picture) => picture.drawing).filter(Boolean);
    const all = (name, order) => order.filter((one) => drawn.some(({ legend }) => legend[name].includes(one)));
    const arrow = (how) => `<span><svg class="al-key ${how}" width="34" height="12" viewBox="0 0 34 12" aria-hidden="true"><path class="al-shaft" d="M1 6H24"/><path class="al-head" d="M33 6l-10-5v10z"/></svg>${safe(say(`legend.${how}`))}</span>`;
    const sign = (one) => `<span>${signMarkup(one)}${safe(say(`legend.${one}`))}</span>`;
    const judged = now.judged ? [...new Set(Object.values(now.judged))].map((how) => `<span>${judgedMarkup(how)}${safe(say(`legend.${how}`))}</span>`) : [];
    fillIn(this.legend, [...all("kinds", ["write", "read", "zero", "swap"]).map(arrow), ...all("signs", ["N", "C", "G"]).map(sign), ...judged].join(""));
  }
}

const stillness = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
