// Several designs side by side. Those with the same memory share one picture; each has a panel of its
// own for its reverse map. A page is chosen, not a frame: each design finds its own frame for it.

const PANEL_HEIGHT = 148; // px of a design's panel at least
const MOST_GRAPH = 132; // px of a graph; a higher one scrolls
const LEAST_GRAPH = 44; // px, beside a long sentence (as in stage.css)
const LOW_GRAPH = 92; // the same where the stage is lower than LOW_STAGE
const LOW_STAGE = 560; // px
const LEAST_PICTURE = 210; // px, in a lecture less
const LEAST_LECTURE = 150;
const LECTURE_ZOOM = 2; // as in stage.css
const MOST_PROBES = 6; // that are said
const HEAD = 25; // px above a picture
const GAP = 8;

class Side {
  constructor(stage) {
    this.stage = stage;
    this.player = stage.player;
  }

  load(story) {
    this.story = story;
    const { prefix } = this.player;
    this.pictures = story.designs.map((design, track) => {
      const host = node("div", { class: "al-sheet" });
      const head = node("h2");
      const element = node("div", { class: "al-class", role: "group" }, head, host);
      return { element, head, host, track, picture: new Picture(host, story, track, `${prefix}s${track}`) };
    });
    this.grid = node("div", { class: "al-classes" }, ...this.pictures.map((one) => one.element));
    this.panels = story.designs.map((design) => {
      const [body, cost] = [node("div", { class: "al-body" }), node("span", { class: "al-small" })];
      const head = node("div", { class: "al-head" }, node("h2", {}, design), cost);
      return { body, cost, element: node("div", { class: "al-design", role: "group", "data-design": design, "aria-label": say("side.design", { design }) }, head, body) };
    });
    this.row = node("div", { class: "al-designs" }, ...this.panels.map((one) => one.element));
    this.stage.sheets.append(this.grid, this.row);
  }

  need() {
    const tall = Math.max(...this.pictures.map((one) => one.picture.need(Math.max(300, this.player.room.width / 2 - 20), { mini: true })));
    return Math.min(tall, 620) + PANEL_HEIGHT + 80;
  }

  // Return the tracks by equal memory: [[track, …], …].
  classes() {
    const found = new Map();
    this.story.designs.forEach((_, track) => {
      const key = memoryKey(this.moments[track]);
      if (!found.has(key)) found.set(key, []);
      found.get(key).push(track);
    });
    return [...found.values()];
  }

  // Return {mm, vpn} of the page that is looked at: the chosen one, else the step's own.
  page(step, now) {
    for (let track = 0; now.chosen && track < this.story.designs.length; track += 1) {
      const thing = this.stage.thingIn(this.moments[track], now.chosen);
      if (!thing) continue;
      if (thing.vpn >= 0) return thing;
      const [user] = this.moments[track].users(thing.pfn);
      if (user) return { mm: user.mm, vpn: user.vpn };
    }
    const [moment] = this.moments;
    const own = [...moment.spaces.values()].find((space) => space.names.includes(step.process) && space.entries.has(step.vpn));
    if (own) return { mm: own.mm, vpn: step.vpn };
    for (const space of moment.spaces.values()) for (const entry of space.entries.values()) if (entry.present) return { mm: space.mm, vpn: entry.vpn };
    return null;
  }

  // ---- painting

  paint(step, now, move) {
    const { height, narrow, crowded } = this.player.room;
    const zoom = now.big ? LECTURE_ZOOM : 1;
    const width = (this.player.room.width - (now.big ? 40 : 0)) / zoom;
    this.moments = this.story.designs.map((_, track) => this.story.moment(now.i, track));
    const classes = this.classes();
    const columns = narrow ? 1 : Math.min(2, classes.length);
    const tight = !now.big && width < (narrow ? 700 : NARROW);
    const across = tight ? Math.min(2, this.panels.length) : this.panels.length;
    const inner = width - 12;
    const rows = Math.ceil(classes.length / columns);
    const page = this.page(step, now);
    this.mostGraph = height / zoom < LOW_STAGE ? LOW_GRAPH : MOST_GRAPH;
    const least = now.big ? LEAST_LECTURE : LEAST_PICTURE;
    const free = height / zoom - (now.big ? 4 : LEGEND);
    this.boundPanels((free - rows * (least + HEAD + 3 + GAP)) / Math.ceil(this.panels.length / across) - GAP);
    this.paintPanels(page, now, Math.floor((inner - (across - 1) * GAP) / across) - 18, across);
    const tall = Math.max(least, (free - (crowded ? 0 : this.tallest + GAP)) / rows - GAP * (rows - 1) - HEAD - 3);
    const options = { ...this.stage.options(now), foot: 6, changeLines: null, width: Math.floor((inner - (columns - 1) * GAP) / columns) - 2, height: Math.floor(tall), big: false, mini: columns > 1, probes: [] };
    this.grid.style.gridTemplateColumns = `repeat(${columns},minmax(0,1fr))`;
    const chosen = page && now.asked < 0 ? slotKey(page.mm, page.vpn) : "";
    for (const one of this.pictures) {
      const together = classes.find((tracks) => tracks[0] === one.track);
      one.element.hidden = !together;
      if (!together) continue;
      const names = together.map((track) => this.story.designs[track]);
      put(one.head, classes.length === 1 ? say("side.same", { n: names.length }) : names.join(", "));
      attribute(one.element, "aria-label", say("side.memory", { designs: names.join(", ") }));
      one.picture.paint(now.i, { ...options, chosen }, { move: move && !stillness() });
    }
  }

  // A panel has `room` px at most; its graph gives way and scrolls, what is said stays.
  boundPanels(room) {
    this.row.style.setProperty("--al-graph", `${this.mostGraph}px`);
    this.row.style.setProperty("--al-panel-room", `${Math.floor(Math.max(PANEL_HEIGHT, room))}px`);
  }

  // The panels come first: the pictures get the height that the tallest row of panels left so far.
  paintPanels(page, now, room, across) {
    this.row.style.gridTemplateColumns = `repeat(${across},minmax(0,1fr))`;
    this.panels.forEach((panel, track) => {
      fillIn(panel.body, this.panelMarkup(track, page, now, room));
      put(panel.cost, say("side.cost", { bytes: costSeries(this.story, track, "bytes")[now.i], copied: costSeries(this.story, track, "copied")[now.i] }));
    });
    if (this.room !== room) Object.assign(this, { room, tallest: 0 });
    this.tallest = Math.max(this.tallest, this.row.offsetHeight);
  }

  // One design's graph, the walk from its frame of the page, what it has cost so far.
  panelMarkup(track, page, now, room) {
    const { story } = this;
    const moment = this.moments[track];
    const entry = page && moment.spaces.get(page.mm)?.entries.get(page.vpn);
    const walk = entry && entry.present ? moment.walks.get(entry.pfn) : null;
    const graph = graphMarkup(story, moment, { track, width: room, height: this.mostGraph, probed: walk ? walk.probes : [], label: say("side.design", { design: story.designs[track] }) });
    const told = walk ? this.walkTold(page, entry, walk) : safe(say(entry ? "side.nowalk" : "side.nothing"));
    const own = story.own(now.i, track);
    const rows = Number((/ height="([\d.]+)"/.exec(graph) || [0, 0])[1]);
    const scrolls = rows > (own ? LEAST_GRAPH : this.mostGraph) ? ` tabindex="0" role="region" aria-label="${safe(say("side.graph", { design: story.designs[track] }))}"` : "";
    return `<div class="al-scroll"${scrolls}>${graph}</div><p>${told}</p>${own ? `<p class="al-small">${safe(own)}</p>` : ""}`;
  }

  // The walk in one sentence: the first probes, hit or miss.
  walkTold(page, entry, walk) {
    const probe = ({ mm, vpn, hit }) => {
      const how = hit ? "hit" : "miss";
      return `${this.story.letter(mm)} <span class="al-mono">${firstByte(vpn)}</span> <b class="al-${how}">${JUDGED[how]} ${safe(say(`walk.${how}`))}</b>`;
    };
    const { probes } = walk;
    const first = [...probes.slice(0, MOST_PROBES).map(probe), ...(probes.length > MOST_PROBES ? ["…"] : [])].join(", ");
    const where = safe(say("side.in", { who: this.story.letter(page.mm), vpn: page.vpn, pfn: entry.pfn }));
    return `${where} <b>${safe(say("side.probes", { n: probes.length }))}</b>${first ? `: ${first}` : ""}`;
  }
}

// What two designs must share to be drawn as one: areas, entries, frames in use.
function memoryKey(moment) {
  const area = ({ start, end, prot, shared, file }) => [start, end, prot, shared, file];
  const entry = ({ vpn, pfn, write, slot }) => [vpn, pfn, write, slot];
  const spaces = [...moment.spaces.values()].map(({ mm, names, vmas }) => [mm, names, vmas.map(area), moment.entriesOf(mm).map(entry)]);
  const frames = [...moment.frames.values()].map((frame) => [frame.pfn, frame.mapcount, frame.data]);
  return JSON.stringify([spaces, frames, [...moment.slots.values()]]);
}
