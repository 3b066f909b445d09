// What differs between a step and the one before: signs N (new), C (changed), G (gone), and both sides.
const signOf = (was, now) => (!was ? "N" : !now ? "G" : "C");
const ENTRY_SHOWS = ["present", "pfn", "write", "slot"];
const FRAME_SHOWS = ["mapcount", "data"];
const FRAME_SHOWS_DEEP = ["mapcount", "data", "count", "index", "mapping", "private"];
const SLOT_SHOWS = ["count", "data", "pfn"];

class Changes {
  // `deep`: also count, index and group of a frame, where a lesson has met them.
  constructor(machine, step, deep) {
    this.step = step;
    this.signs = new Map();
    const empty = { p: [], t: [], f: [], s: [], lists: {}, owners: [[], []] };
    const [delta, undo] = step > 0 ? [machine.deltas[step], machine.undo[step]] : [{}, empty];
    this.lists = (field) => listsOf(machine, undo, field, step);
    this.entries = [...rowsOf(delta.p, 3)].map(([mm, vpn, word], at) =>
      ({ mm, vpn, was: undo.p[at], now: word ? entryOf(mm, vpn, word) : null })).filter((one) => one.was || one.now);
    this.tables = [...rowsOf(delta.t, 4)].map(([mm, level, prefix, row], at) =>
      ({ mm, level, prefix, was: undo.t[at], now: row })).filter((one) => one.was !== one.now);
    const owned = (frame, owners) => frame && { ...frame, owner: ownerName(owners, frame.mapping) };
    const [before, after] = undo.owners.map((list) => new Map(list.map((each) => Object.values(machine.known("mappings", each)))));
    this.frames = [...rowsOf(delta.f, 8)].map((row, at) =>
      ({ pfn: row[0], was: owned(undo.f[at], before), now: owned(row[1] ? frameOf(row) : null, after) })).filter((one) => one.was || one.now);
    this.slots = [...rowsOf(delta.s, 4)].map((row, at) =>
      ({ slot: row[0], was: undo.s[at], now: row[1] ? swapOf(row) : null })).filter((one) => one.was || one.now);
    this.spaces = this.paired("mms", "mm");
    this.markAll(deep);
  }

  // The facts of `field` that came, went or changed, by what names them.
  paired(field, name) {
    const [old, now] = this.lists(field).map((list) => new Map(list.map((fact) => [fact[name], fact])));
    return [...new Set([...old.keys(), ...now.keys()])]
      .map((key) => ({ [name]: key, was: old.get(key) || null, now: now.get(key) || null }))
      .filter((one) => one.was !== one.now);
  }

  markAll(deep) {
    const mark = (list, shows, keyOf) => {
      for (const one of list) {
        one.sign = signOf(one.was, one.now);
        if (one.sign === "C" && shows.every((name) => one.was[name] === one.now[name])) one.sign = "";
        if (one.sign) this.signs.set(keyOf(one), one.sign);
      }
    };
    mark(this.entries, ENTRY_SHOWS, (one) => slotKey(one.mm, one.vpn));
    mark(this.frames, deep ? FRAME_SHOWS_DEEP : FRAME_SHOWS, (one) => frameKey(one.pfn));
    mark(this.slots, SLOT_SHOWS, (one) => swapKey(one.slot));
    for (const one of this.spaces) {
      one.sign = signOf(one.was, one.now);
      if (one.sign !== "C") this.signs.set(spaceKey(one.mm), one.sign);
    }
  }

  // The sign of a thing by its key, "" if it is as it was.
  sign(key) {
    return this.signs.get(key) || "";
  }

  keys() {
    return [...this.signs.keys()];
  }

  get processes() {
    return this.paired("processes", "name");
  }

  get files() {
    return this.paired("files", "mapping");
  }

  get nodes() {
    return this.paired("nodes", "id");
  }
}

// Return [[sign, area], …] of an address space that stays, {was, now}, by address.
function areaChanges({ was, now }) {
  const [old, there] = [was, now].map((space) => new Map(space.vmas.map((vma) => [vma.start, vma])));
  const starts = [...new Set([...old.keys(), ...there.keys()])].sort((a, b) => a - b);
  return starts.filter((start) => old.get(start) !== there.get(start))
    .map((start) => [signOf(old.get(start), there.get(start)), there.get(start) || old.get(start)]);
}

// Return the facts of `field` before and after `step`.
function listsOf(machine, undo, field, step) {
  if (!undo.lists[field]) return [[], []];
  const numbers = [...undo.lists[field]];
  const before = numbers.map((number) => machine.known(field, number));
  for (const [start, removed, more] of machine.deltas[step][field]) numbers.splice(start, removed, ...more);
  return [before, numbers.map((number) => machine.known(field, number))];
}
