// A story is a trace as the browser has it; a moment is its machine at one step. Nothing else reads
// the payload (view/story/payload.py says what is in it): numbers come in, things come out.
// Page numbers reach 2^50, words 2^53: no bit operator here.
const WORD_BITS = { P: 1, W: 2, U: 4, A: 32, D: 64 };
const FLAGS = 4096;

const slotKey = (mm, vpn) => `p${mm}-${vpn}`;
const frameKey = (pfn) => `f${pfn}`;
const spaceKey = (mm) => `m${mm}`;
const swapKey = (slot) => `s${slot}`;
const hasBit = (flags, bit) => Math.floor(flags / bit) % 2 === 1;

// A page-table entry that is not 0. `word` is text if it is too large for a number.
function entryOf(mm, vpn, word) {
  const large = BigInt(word);
  const flags = Number(large % BigInt(FLAGS));
  const present = hasBit(flags, WORD_BITS.P);
  const pfn = present ? Number(large / BigInt(FLAGS)) : -1;
  const letters = Object.keys(WORD_BITS).map((letter) => (hasBit(flags, WORD_BITS[letter]) ? letter : "-")).join("");
  return {
    mm, vpn, word, present, pfn, zero: pfn === 0, write: present && hasBit(flags, WORD_BITS.W), letters,
    slot: present ? -1 : Number(large / 256n), type: present ? -1 : Math.floor(flags / 2) % 32,
  };
}

// Facts as they are in formats/snapshot.py, with names.
const FACT = {
  vmas: ([start, end, prot, shared, file, pgoff, locked, growsdown]) =>
    ({ start, end, prot, shared, file, pgoff, locked, growsdown }),
  mms: ([mm, pgd, names, home, vmas], known) =>
    ({ mm, pgd, names, home, vmas: vmas.map((number) => known("vmas", number)) }),
  processes: ([name, pid, parent, mm, program]) => ({ name, pid, parent, mm, program }),
  files: ([name, mapping, npages, shmem, cached]) => ({ name, mapping, npages, shmem, cached }),
  mappings: ([number, name]) => ({ number, name }),
  nodes: ([id, kind, label, facts]) => ({ id, kind, label, facts }),
  edges: ([tail, head, kind]) => ({ tail, head, kind }),
  walks: ([pfn, via, probes, nodes, locks]) =>
    ({ pfn, via, nodes, locks, probes: probes.map(([mm, vpn, hit, seen]) => ({ mm, vpn, hit, nodes: seen })) }),
};
const LISTS = ["processes", "mms", "files", "mappings", "nodes", "edges", "walks"];

// Return what looks facts of a payload up, each made into a thing once.
function knownFacts(payload) {
  const made = Object.fromEntries(Object.keys(FACT).map((field) => [field, []]));
  const known = (field, number) => {
    made[field][number] ??= FACT[field](payload.facts[field][number], known);
    return made[field][number];
  };
  return known;
}

function* rowsOf(numbers, width) {
  for (let at = 0; at < (numbers || []).length; at += width) yield numbers.slice(at, at + width);
}

// The machine of one track; `go` moves it to a step, forward by deltas, back by what they replaced.
class Machine {
  constructor(payload, track, known) {
    this.deltas = payload.tracks[track].deltas;
    this.known = known;
    this.track = track;
    this.step = -1;
    this.undo = [];
    this.entries = new Map(); // mm: Map(vpn: entry)
    this.tables = new Map(); // mm: Map(level: Map(prefix: row))
    this.users = new Map(); // pfn: Map(key: entry)
    this.frames = new Map();
    this.slots = new Map();
    this.lists = Object.fromEntries(LISTS.map((field) => [field, []]));
    this.cost = payload.counters.map(() => 0);
  }

  go(step) {
    while (this.step < step) this.forward(this.deltas[(this.step += 1)]);
    while (this.step > step) {
      this.back(this.undo[this.step], this.deltas[this.step]);
      this.step -= 1;
    }
  }

  // Have the step been reached once, so that what it replaced is known; stay where we are.
  know(step) {
    if (this.undo[step]) return;
    const here = this.step;
    this.go(step);
    this.go(here);
  }

  forward(delta) {
    const undo = { p: [], t: [], f: [], s: [], lists: {}, owners: [this.lists.mappings] };
    for (const field of LISTS) {
      if (!delta[field]) continue;
      undo.lists[field] = this.lists[field];
      const list = [...this.lists[field]];
      for (const [start, removed, numbers] of delta[field]) list.splice(start, removed, ...numbers);
      this.lists[field] = list;
    }
    for (const [mm, vpn, word] of rowsOf(delta.p, 3)) undo.p.push(this.put(mm, vpn, word ? entryOf(mm, vpn, word) : null));
    for (const [mm, level, prefix, row] of rowsOf(delta.t, 4)) undo.t.push(this.putTable(mm, level, prefix, row));
    for (const row of rowsOf(delta.f, 8)) undo.f.push(this.replace(this.frames, row[0], row[1] ? frameOf(row) : null));
    for (const row of rowsOf(delta.s, 4)) undo.s.push(this.replace(this.slots, row[0], row[1] ? swapOf(row) : null));
    (delta.c || []).forEach((more, at) => (this.cost[at] += more));
    undo.owners.push(this.lists.mappings);
    this.undo[this.step] ??= undo;
  }

  back(undo, delta) {
    Object.assign(this.lists, undo.lists);
    [...rowsOf(delta.p, 3)].forEach(([mm, vpn], at) => this.put(mm, vpn, undo.p[at]));
    [...rowsOf(delta.t, 4)].forEach(([mm, level, prefix], at) => this.putTable(mm, level, prefix, undo.t[at]));
    [...rowsOf(delta.f, 8)].forEach(([pfn], at) => this.replace(this.frames, pfn, undo.f[at]));
    [...rowsOf(delta.s, 4)].forEach(([slot], at) => this.replace(this.slots, slot, undo.s[at]));
    (delta.c || []).forEach((more, at) => (this.cost[at] -= more));
  }

  // Write an entry, null for none; return what stood there.
  put(mm, vpn, entry) {
    if (!this.entries.has(mm)) this.entries.set(mm, new Map());
    const was = this.replace(this.entries.get(mm), vpn, entry);
    const key = slotKey(mm, vpn);
    if (was && was.present) this.users.get(was.pfn).delete(key);
    if (entry && entry.present) {
      if (!this.users.has(entry.pfn)) this.users.set(entry.pfn, new Map());
      this.users.get(entry.pfn).set(key, entry);
    }
    return was;
  }

  putTable(mm, level, prefix, row) {
    if (!this.tables.has(mm)) this.tables.set(mm, new Map());
    const levels = this.tables.get(mm);
    if (!levels.has(level)) levels.set(level, new Map());
    return this.replace(levels.get(level), prefix, row || null) || 0;
  }

  replace(map, key, value) {
    const was = map.get(key) ?? null;
    if (value === null) map.delete(key);
    else map.set(key, value);
    return was;
  }
}

const frameOf = ([pfn, count, mapcount, index, mapping, flags, data, privateSlot]) =>
  ({ pfn, count, mapcount, index, mapping, flags, data, private: privateSlot });
const swapOf = ([slot, count, data, pfn]) => ({ slot, count, data, pfn });

// What can be seen at one step. Made by story.moment(), which moves the machine below it.
class Moment {
  constructor(machine) {
    this.machine = machine;
    this.i = machine.step;
    this.track = machine.track;
    const facts = (field) => machine.lists[field].map((number) => machine.known(field, number));
    for (const field of ["processes", "files", "nodes", "edges"]) this[field] = facts(field);
    this.owners = new Map(facts("mappings").map(({ number, name }) => [number, name]));
    this.walks = new Map(facts("walks").map((walk) => [walk.pfn, walk]));
    this.spaces = new Map(facts("mms").map((fact) => [fact.mm, this.space(fact)]));
    this.cost = [...machine.cost];
    this.slots = machine.slots;
  }

  space(fact) {
    const { entries, tables } = this.machine;
    return { ...fact, entries: entries.get(fact.mm) || new Map(), tables: tables.get(fact.mm) || new Map() };
  }

  // Frames in use with the names of their owners; made when somebody looks.
  get frames() {
    this.made ??= new Map([...this.machine.frames].sort(([a], [b]) => a - b)
      .map(([pfn, frame]) => [pfn, { ...frame, owner: ownerName(this.owners, frame.mapping) }]));
    return this.made;
  }

  // The present entries that name frame `pfn`, by address space and address.
  users(pfn) {
    const found = this.machine.users.get(pfn);
    return found ? [...found.values()].sort((a, b) => a.mm - b.mm || a.vpn - b.vpn) : [];
  }

  // The entries of an address space, ascending.
  entriesOf(mm) {
    const space = this.spaces.get(mm);
    return space ? [...space.entries.values()].sort((a, b) => a.vpn - b.vpn) : [];
  }

  vmaAt(mm, vpn) {
    const space = this.spaces.get(mm);
    return (space && space.vmas.find((vma) => vma.start <= vpn && vpn < vma.end)) || null;
  }
}

const ownerName = (owners, mapping) => (mapping ? owners.get(mapping) || `mapping ${mapping}` : "");
