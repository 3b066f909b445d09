// What differs from the step before, in words: [[sign, text], …], the same for many pages in a row
// said once. Sentences are templates of the catalogue.

const stateWord = (entry) => say(entry.present ? (entry.write ? "told.write" : "told.read") : "told.swap", { slot: entry.slot });

// What became of one entry: its frame, whether it may be written.
function entryTold({ was, now, sign }) {
  if (sign === "N" || !was) return now.zero ? say("told.zero") : now.present ? say("told.is", { pfn: now.pfn, state: stateWord(now) }) : stateWord(now);
  if (sign === "G" || !now) return was.zero ? say("told.waszero") : was.present ? say("told.was", { pfn: was.pfn }) : say("told.was.swap", { slot: was.slot });
  if (!now.present) return was.present ? say("told.out", { pfn: was.pfn, slot: now.slot }) : stateWord(now);
  if (was.zero && now.pfn) return say("told.both", { moved: say("told.fromzero", { pfn: now.pfn }), state: stateWord(now) });
  const moved = was.present && was.pfn !== now.pfn ? say("told.moved", { was: was.pfn, pfn: now.pfn }) : say("told.frame", { pfn: now.pfn });
  return !was.present || was.write !== now.write ? say("told.both", { moved, state: stateWord(now) }) : moved;
}

// What is equal for entries that are said together.
const sortOf = ({ mm, was, now, sign }) => [mm, sign, was && was.present, was && was.write, now && now.present, now && now.write, now && now.zero].join();

// Put entries that lie side by side and changed alike together.
function changedRuns(entries) {
  const runs = [];
  for (const one of [...entries].sort((a, b) => a.mm - b.mm || a.vpn - b.vpn)) {
    const run = runs[runs.length - 1];
    const before = run && run[run.length - 1];
    if (before && before.vpn + 1 === one.vpn && sortOf(before) === sortOf(one)) run.push(one);
    else runs.push([one]);
  }
  return runs;
}

function entriesTold(story, entries) {
  return changedRuns(entries.filter((one) => one.sign)).map((run) => {
    const [one] = run;
    const what = run.length === 1 ? entryTold(one) : runTold(run);
    return [one.sign, say("told.entry", { who: story.letter(one.mm), vpn: one.vpn, n: run.length, more: run.length > 1, what })];
  });
}

function runTold(run) {
  const [one] = run;
  if (one.sign === "G") return say("told.run.gone");
  if (one.now && one.now.zero) return say("told.zero");
  if (one.now && one.now.present && (!one.was || one.was.pfn !== one.now.pfn)) return say("told.run.frames", { n: run.length, state: stateWord(one.now) });
  return say("told.run.now", { state: one.now.present ? stateWord(one.now) : say("told.run.out") });
}

function frameTold(story, { pfn, was, now, sign }) {
  if (sign === "N") return say("told.holds", { pfn, data: now.data });
  if (sign === "G") return say("told.free", { pfn });
  const what = [];
  if (was.mapcount !== now.mapcount) what.push(say("told.users", { was: was.mapcount, n: now.mapcount }));
  if (was.data !== now.data) what.push(say("told.data", { was: was.data, data: now.data }));
  if (story.deep && was.index !== now.index) what.push(say("told.index", { was: was.index, index: now.index }));
  if (story.deep && was.mapping !== now.mapping) what.push(say("told.owner", { owner: now.owner || say("told.nobody") }));
  if (story.deep && was.mapcount === now.mapcount && was.count !== now.count) what.push(say("told.count", { was: was.count, count: now.count }));
  if (story.deep && was.private !== now.private) what.push(now.private ? say("told.cache", { slot: now.private }) : say("told.nocache"));
  return say("told.frame.at", { pfn, what: what.join(", ") });
}

function slotTold({ slot, was, now, sign }) {
  if (sign === "N") return say("told.slot", { slot, data: now.data });
  if (sign === "G") return say("told.slot.free", { slot });
  return say("told.slot.users", { slot, was: was.count, n: now.count });
}

// What became of the areas of an address space that stays, and of the object that it belongs to.
function spaceTold(story, { mm, was, now }) {
  const who = story.letter(mm);
  const out = areaChanges({ was, now }).map(([sign, { start, end, prot }]) => [sign, say(`told.area.${sign}`, { who, vpn: start, n: end - start, prot })]);
  if (story.deep && was.home !== now.home && now.home) out.push(["C", say("told.home", { who, home: homeWords(now.home) })]);
  return out;
}

// Return [[sign, text], …] of everything that changed at step i, the picture's part first.
function changesTold(story, i, track = 0) {
  const changes = story.changes(i, track);
  const out = [];
  for (const space of changes.spaces) {
    const { mm, sign } = space;
    if (sign === "N" || sign === "G") out.push([sign, say(sign === "N" ? "told.space" : "told.space.gone", { who: story.letter(mm), name: story.nameOf(mm) })]);
    else out.push(...spaceTold(story, space));
  }
  out.push(...entriesTold(story, changes.entries));
  for (const frame of changes.frames) if (frame.sign) out.push([frame.sign, frameTold(story, frame)]);
  for (const slot of changes.slots) if (slot.sign) out.push([slot.sign, slotTold(slot)]);
  const leaves = changes.tables.filter(({ mm, level }) => level === story.levels - 1 && changes.sign(spaceKey(mm)) !== "G");
  for (const { mm, prefix, was, now } of leaves) {
    const sign = signOf(was, now);
    out.push([sign, say(`told.table.${sign}`, { who: story.letter(mm), vpn: prefix * story.perTable })]);
  }
  return out;
}

// Of a step that changes nothing in the picture: what did change, and which tab shows it.
function hiddenTold(story, i, track = 0) {
  const changes = story.changes(i, track);
  const any = (...fields) => fields.some((field) => changes.lists(field).some((list) => list.length));
  const other = (name) => changes.spaces.some(({ was, now }) => was && now && String(was[name]) !== String(now[name]));
  const found = [
    [any("nodes", "edges", "walks", "mappings") || other("home"), story.deep ? "rmap" : "rmap-plain", "rmap"],
    [any("processes") || other("names"), "vmas", "vmas"],
    [any("files"), "files", "text"],
    [changes.entries.length + changes.frames.length + changes.slots.length > 0, "text", "text"],
  ].filter(([is]) => is).map(([, key, tab]) => say(`hidden.${key}`, { tab: story.tabs.includes(tab) ? say(`tab.${tab}`) : "" }));
  return found.length ? say("left.hidden", { what: found.reduce((some, one) => say("hidden.and", { some, one })) }) : say("left.nothing");
}
