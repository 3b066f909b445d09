// The whole story: what the player, the picture and the tabs ask.
function openStory(payload) {
  return new Story(payload);
}

// Return the payload of a widget or page: an object, or "deflate:" and base64 of its compressed JSON.
async function unpacked(frames) {
  if (typeof frames !== "string") return frames;
  const bytes = Uint8Array.from(atob(frames.slice(frames.indexOf(":") + 1)), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return inRows(JSON.parse(await new Response(stream).text()));
}

// Return a payload in rows; one that comes in columns (view/story/columns.py) is changed.
function inRows(payload) {
  if (!payload.columns) return payload;
  const steps = payload.steps.map(columnValues);
  payload.steps = steps[0].map((_, at) => steps.map((column) => column[at]));
  for (const track of payload.tracks) track.deltas = deltasInRows(track.deltas);
  const words = payload.steps.map(([, operation]) => (payload.lines[operation] || "").split(" ").at(-1));
  payload.steps.forEach((step, at) => {
    if (typeof step[7] === "number") step[7] = step[7] ? `0x${Number(words[at]).toString(16)}` : words[at];
  });
  for (const { deltas } of payload.tracks) {
    const contents = new Map();
    deltas.forEach(({ f = [] }, step) => wholeFrames(f, contents, words[step]));
  }
  delete payload.columns;
  return payload;
}

// Put the contents of frames back that follow from others; `contents` has those of earlier rows.
function wholeFrames(rows, contents, word) {
  const at = Array.from({ length: rows.length / 8 }, (_, row) => 8 * row + 6);
  const first = at.find((data) => rows[data] === false);
  for (const data of at) if (rows[data] === false) rows[data] = contents.get(rows[data - 6]) ?? 0;
  for (const data of at) {
    if (rows[data] === null) rows[data] = Number(word);
    if (rows[data] === true) rows[data] = rows[first];
    contents.set(rows[data - 6], rows[data]);
  }
}

function columnValues(column) {
  let sum = 0;
  return Array.isArray(column) ? column : column.d.map((difference) => (sum += difference));
}

function deltasInRows({ n, rows, lists }) {
  const deltas = Array.from({ length: n }, () => ({}));
  for (const [name, [counts, ...columns]] of Object.entries(rows)) {
    const values = columns.map(columnValues);
    let at = 0;
    counts.forEach((count, step) => {
      if (!count) return;
      deltas[step][name] = Array.from({ length: count * values.length }, (_, place) =>
        values[place % values.length][at + Math.floor(place / values.length)]);
      at += count;
    });
  }
  for (const [name, [places, values]] of Object.entries(lists)) {
    columnValues(places).forEach((step, at) => { deltas[step][name] = values[at]; });
  }
  return deltas;
}

class Story {
  constructor(payload) {
    this.payload = payload;
    this.known = knownFacts(payload);
    this.machines = payload.tracks.map((_, track) => new Machine(payload, track, this.known));
    for (const name of ["title", "note", "nframes", "nswap", "lines", "tabs", "ask", "counters"]) this[name] = payload[name];
    [this.levels, this.bits, this.machine] = payload.geometry;
    this.perTable = 2 ** this.bits;
    this.designs = payload.tracks.map((track) => track.design);
    this.last = payload.steps.length - 1;
    this.deep = this.tabs.includes("rmap");
    this.found = new Map(); // changes, extents and costs that were worked out
  }

  // What a step says.
  step(i) {
    const [number, operation, level, process, vpn, pages, n, what, error, told] = this.payload.steps[i];
    const [label, ...words] = this.payload.labels[number];
    const [title, template, source] = told === null ? this.wordsFor(label, words) : words;
    const where = vpn < 0 ? "" : this.address(vpn);
    const upto = vpn < 0 ? "" : this.address(vpn + Math.max(n, 1) - 1);
    const sentence = told ?? fill(template, { who: process, where, last: upto, n, what });
    return { i, label, title, sentence, source, operation, isLast: level === 1, process, vpn, pages, error, line: this.line(operation) };
  }

  // The words of a label: where no tab shows the reverse map, words that do not speak of it.
  wordsFor(label, [title, template, source]) {
    if (this.deep) return [title, template, source];
    return [WORDS[`plain.title.${label}`] ?? title, WORDS[`plain.${label}`] ?? template, source];
  }

  // Who does a step, without its sentence.
  processAt(i) {
    return this.payload.steps[i][3];
  }

  // The text of an operation; that of -1 is what the start is called.
  line(operation) {
    return operation < 0 ? this.payload.labels[this.payload.steps[0][0]][1] : this.lines[operation];
  }

  // What a design says by itself at a step: undefined (the common words), "" (it has no such step).
  own(i, track) {
    return this.payload.tracks[track].own[i];
  }

  // [first step, last step] of an operation; null for one that the trace does not have.
  partsOf(operation) {
    return this.once("parts", () => {
      const parts = new Map();
      this.payload.steps.forEach((row, at) => parts.set(row[1], [parts.has(row[1]) ? parts.get(row[1])[0] : at, at]));
      return parts;
    }).get(operation) || null;
  }

  // The operations of the trace, in order.
  get operations() {
    this.partsOf(-1);
    return this.once("operations", () => [...this.found.get("parts").keys()]);
  }

  // The machine at step `i`: good until the next call for the same track.
  moment(i, track = 0) {
    const machine = this.machines[track];
    machine.go(i);
    if (!this.seen || this.seen.track !== track || this.seen.moment.i !== i) this.seen = { track, moment: new Moment(machine) };
    return this.seen.moment;
  }

  changes(i, track = 0) {
    const machine = this.machines[track];
    if (i > 0) machine.know(i);
    return this.once(`changes ${track} ${i}`, () => new Changes(machine, i, this.deep));
  }

  address(vpn) {
    const digits = Math.ceil((this.levels * this.bits + 12) / 4);
    return `0x${(BigInt(vpn) * 4096n).toString(16).padStart(digits, "0")}`;
  }

  // A, B, … Z, AA, … by ascending number of the address space, over the whole trace.
  letter(mm) {
    const letters = this.once("letters", () => {
      const all = [...new Set(this.payload.facts.mms.map((fact) => fact[0]))].sort((a, b) => a - b);
      return new Map(all.map((each, at) => [each, letterOf(at)]));
    });
    return letters.get(mm) || "?";
  }

  // The processes that run, or ran last, in an address space.
  nameOf(mm) {
    const names = this.once("names", () => {
      const known = new Map();
      for (const [number, , who] of this.payload.facts.mms) if (who.length && !known.has(number)) known.set(number, who.join(say("twin.and")));
      return known;
    });
    const space = this.seen && this.seen.moment.spaces.get(mm);
    return space && space.names.length ? space.names.join(say("twin.and")) : names.get(mm) || `mm ${mm}`;
  }

  // Where `dot` put the nodes of a design's graph, {width, height, nodes: {id: [x, y, width]}}, or null.
  graph(track) {
    return this.payload.tracks[track].graph;
  }

  // How much room the whole story wants, so that nothing moves.
  extent(track = 0) {
    return this.once(`extent ${track}`, () => extentOf(this, track));
  }

  // A counter of the design after every step.
  costs(track, name) {
    return this.once(`costs ${track} ${name}`, () => {
      const at = this.counters.indexOf(name);
      let sum = 0;
      return this.payload.tracks[track].deltas.map((delta) => (sum += at >= 0 && delta.c ? delta.c[at] : 0));
    });
  }

  once(name, make) {
    if (!this.found.has(name)) this.found.set(name, make());
    return this.found.get(name);
  }
}

const letterOf = (at) => (at >= 26 ? letterOf(Math.floor(at / 26) - 1) : "") + String.fromCharCode(65 + (at % 26));

// {mms, leaves: Map(prefix: [lowest, highest vpn]), lastPfn, mostLive, mostSlots}; `leaves` is null where
// areas cover more than MOST_LEAVES leaf tables: such tables fold anyway.
const MOST_LEAVES = 512;

function extentOf(story, track) {
  const mms = new Set();
  const leaves = new Map();
  const out = { mms: [], leaves, lastPfn: 0, mostLive: 0, mostSlots: 0 };
  let live = [];
  let slots = new Set();
  for (const delta of story.payload.tracks[track].deltas) {
    for (const [start, removed, numbers] of delta.mms || []) {
      live.splice(start, removed, ...numbers);
      for (const number of numbers) noteSpace(story, story.known("mms", number), mms, leaves);
    }
    out.mostLive = Math.max(out.mostLive, live.length);
    for (const [, vpn] of rowsOf(delta.p, 3)) noteRange(leaves, story.perTable, vpn, vpn + 1);
    for (const [pfn, count] of rowsOf(delta.f, 8)) if (count) out.lastPfn = Math.max(out.lastPfn, pfn);
    for (const [slot, count] of rowsOf(delta.s, 4)) slots[count ? "add" : "delete"](slot);
    out.mostSlots = Math.max(out.mostSlots, slots.size);
  }
  out.mms = [...mms];
  if (leaves.size > MOST_LEAVES) out.leaves = null;
  return out;
}

function noteSpace(story, fact, mms, leaves) {
  mms.add(fact.mm);
  for (const vma of fact.vmas) noteRange(leaves, story.perTable, vma.start, vma.end);
}

function noteRange(leaves, perTable, start, end) {
  for (let prefix = Math.floor(start / perTable); prefix * perTable < end && leaves.size <= MOST_LEAVES; prefix += 1) {
    const first = Math.max(start, prefix * perTable);
    const last = Math.min(end, (prefix + 1) * perTable) - 1;
    const [low, high] = leaves.get(prefix) || [first, last];
    leaves.set(prefix, [Math.min(low, first), Math.max(high, last)]);
  }
}
