// What changed at a step, as short sentences: the same as changes.py, string for string.

// Return [[sign, sentence], …] of everything that differs from the step before; signs are + - ~.
function changeLines(story, i, track = 0) {
  if (i === 0) return [];
  const before = fieldsOf(story, i - 1, track);
  const after = fieldsOf(story, i, track);
  const news = [...KINDS_OF_NEWS.flatMap((kind) => kind(before, after))];
  return newsRuns(news).map((run) => {
    const [{ sign, subject, told }] = run;
    return [sign, `${subject(run.length)}: ${told(run.length)}`];
  });
}

// Return what is compared of a moment: Maps of plain fields by key. A moment moves, so it is copied.
function fieldsOf(story, i, track) {
  const moment = story.moment(i, track);
  const spaces = [...moment.spaces.values()];
  const pairs = (list) => new Map(list);
  return {
    digits: addressDigits(story),
    who: new Map(spaces.map((space) => [space.mm, space.names.join(say("twin.and")) || `mm ${space.mm}`])),
    processes: pairs(moment.processes.map(({ name, pid, parent, mm, program }) => [name, { pid, parent, space: mm || "", program }])),
    spaces: pairs(spaces.map(({ mm, pgd, home, names }) => [mm, { pgd, home, processes: names.join(", ") }])),
    areas: pairs(spaces.flatMap(({ mm, vmas }) => vmas.map((vma) => [placeKey(mm, vma.start), areaFields(vma)]))),
    ...tablesOf(story, spaces),
    entries: pairs(spaces.flatMap(({ mm, entries }) => [...entries].map(([vpn, entry]) => [placeKey(mm, vpn), entry]))),
    frames: pairs([...moment.frames].map(([pfn, frame]) => [pfn, frameFields(frame)])),
    slots: pairs([...moment.slots].map(([slot, { count, data, pfn }]) => [slot, { uses: count, content: short(data), cached: pfn || "" }])),
    files: pairs(moment.files.map(({ name, mapping, npages, shmem }) => [name, { mapping, npages, kind: shmem ? say("change.shmem") : "" }])),
    cached: pairs(moment.files.flatMap(({ name, cached }) => cached.map(([pgoff, pfn]) => [placeKey(name, pgoff), { frame: pfn }]))),
    nodes: pairs(moment.nodes.map(({ id, kind, label, facts }) =>
      [id, { kind, label, ...Object.fromEntries(facts.map(([name, value]) => [`=${name}`, value])) }])),
    edges: pairs(moment.edges.map(({ tail, head, kind }) => [JSON.stringify([tail, head, kind]), {}])),
  };
}

// A key of several parts, for a Map; `partsOf` gives the parts back.
const placeKey = (...parts) => JSON.stringify(parts);
const partsOf = (key) => JSON.parse(key);

function areaFields({ start, end, prot, shared, file, pgoff, locked, growsdown }) {
  return {
    pages: end - start, prot, sharing: say(shared ? "change.shared" : "change.private"), file, pgoff,
    lock: locked ? say("change.locked") : "", growth: growsdown ? say("change.growsdown") : "",
  };
}

function frameFields({ count, mapcount, index, owner, data, flags, private: slot }) {
  return { count, mapcount, index: hexOf(index), mapping: owner, content: short(data), flags: flagWords(flags).join(" "), private: slot || "" };
}

function tablesOf(story, spaces) {
  const [uppers, leaves] = [new Map(), new Map()];
  for (const { mm, tables } of spaces) {
    for (const [level, rows] of tables) {
      for (const [prefix, row] of rows) {
        if (level < story.levels - 1) {
          const vpn = prefix * 2 ** (story.bits * (story.levels - level));
          uppers.set(placeKey(mm, level, prefix), { row, level, vpn });
        } else leaves.set(placeKey(mm, prefix * story.perTable), { row });
      }
    }
  }
  return { uppers, leaves };
}

// ---- the news of each kind, in order ----------------------------------------------------------------

const KINDS_OF_NEWS = [
  (was, now) => thingNews("process", "name", was.processes, now.processes),
  (was, now) => thingNews("mm", "mm", was.spaces, now.spaces),
  (was, now) => placedNews("vma", was, now, "areas"),
  (was, now) => upperNews(was, now),
  (was, now) => placedNews("table", was, now, "leaves"),
  (was, now) => entryNews(was, now),
  (was, now) => frameNews(was.frames, now.frames),
  (was, now) => thingNews("slot", "slot", was.slots, now.slots),
  (was, now) => thingNews("file", "name", was.files, now.files),
  (was, now) => differing(was.cached, now.cached, partsOf).map(([[name, pgoff], ...both]) => oneNews("cached", [name, pgoff], { name, pgoff }, ...both)),
  (was, now) => thingNews("node", "id", was.nodes, now.nodes),
  (was, now) => differing(was.edges, now.edges, partsOf).map(([[tail, head, kind], ...both]) => oneNews("edge", [tail, head, kind], { tail, head }, ...both)),
];

// Return [parts of the key, was, now] of what differs between two maps, in order of the parts.
function differing(was, now, parts = (key) => [key]) {
  const same = (key) => JSON.stringify(was.get(key)) === JSON.stringify(now.get(key));
  return [...new Set([...was.keys(), ...now.keys()])].filter((key) => !same(key))
    .map((key) => [parts(key), was.get(key) ?? null, now.get(key) ?? null])
    .sort(([one], [other]) => compareParts(one, other));
}

function compareParts(one, other) {
  for (let at = 0; at < one.length; at += 1) if (one[at] !== other[at]) return one[at] < other[at] ? -1 : 1;
  return 0;
}

const signOfNews = (was, now) => (!was ? "+" : !now ? "-" : "~");

function thingNews(kind, name, was, now) {
  return differing(was, now).map(([[key], ...both]) => oneNews(kind, [key], { [name]: key }, ...both));
}

function placedNews(kind, was, now, field) {
  return differing(was[field], now[field], partsOf).map(([[mm, vpn], ...both]) =>
    oneNews(kind, [mm, vpn], placeArgs(was, now, mm, vpn), ...both));
}

function upperNews(was, now) {
  return differing(was.uppers, now.uppers, partsOf).map(([[mm, level, prefix], before, after]) => {
    const args = { ...placeArgs(was, now, mm, (after || before).vpn), level };
    return oneNews("upper", [mm, level, prefix], args, before && { row: before.row }, after && { row: after.row });
  });
}

const placeArgs = (was, now, mm, vpn) => ({ who: now.who.get(mm) || was.who.get(mm), vpn, digits: now.digits });

function oneNews(kind, key, args, was, now) {
  return {
    sign: signOfNews(was, now), kind, key, alike: "",
    subject: (n) => say(`change.${kind}`, { ...args, n }),
    told: () => toldOf(kind, args, was, now),
  };
}

function entryNews(was, now) {
  return differing(was.entries, now.entries, partsOf).map(([[mm, vpn], before, after]) => {
    const args = placeArgs(was, now, mm, vpn);
    const moved = before && after && !sameEnd(before, after);
    const alike = JSON.stringify([moved, ...[before, after].map((entry) => entry && (entry.present ? entry.letters : "swap"))]);
    return {
      sign: signOfNews(before, after), kind: "pte", key: [mm, vpn], alike,
      subject: (n) => say("change.pte", { ...args, n }),
      told: (n) => entryTale(before, after, n),
    };
  });
}

const sameEnd = (one, other) => one.present === other.present && one.pfn === other.pfn && one.write === other.write && one.slot === other.slot;

function entryTale(was, now, n) {
  if (!now) return say("change.unmapped");
  if (!was) return say("change.pte.new", { now: mappedWords(now, n) });
  if (!sameEnd(was, now)) return say("change.pte.moved", { now: mappedWords(now, n), was: mappedWords(was, n) });
  return say("change.pte.bits", { was: was.letters, now: now.letters });
}

function mappedWords({ present, write, pfn, slot }, n) {
  if (!present) return say("change.swapped", { n, slot });
  return say(write ? "change.writable" : "change.read-only", { n, pfn });
}

function frameNews(was, now) {
  const bare = (fields) => fields && { ...fields, private: fields.private ? "True" : "" };
  return differing(was, now).map(([[pfn], before, after]) => ({
    sign: signOfNews(before, after), kind: "frame", key: [pfn],
    alike: toldOf("frame", {}, bare(before), bare(after)),
    subject: (n) => say("change.frame", { n, pfn, last: pfn + n - 1 }),
    told: () => toldOf("frame", {}, before, after),
  }));
}

// Say what is new, that it is gone, or which fields are different, with both values.
function toldOf(kind, args, was, now) {
  if (!now) return say("change.gone");
  if (!was) return say(`change.${kind}.new`, { ...args, ...now });
  const value = (fields, name) => String(fields[name] ?? "") || say("change.none");
  return [...new Set([...Object.keys(was), ...Object.keys(now)])]
    .filter((name) => (was[name] ?? "") !== (now[name] ?? ""))
    .map((name) => say("change.field", { name: name.startsWith("=") ? name.slice(1) : say(`field.${name}`), was: value(was, name), now: value(now, name) }))
    .join(", ");
}

// ---- neighbours with the same news share a sentence ---------------------------------------------------

function newsRuns(news) {
  const runs = [];
  for (const one of news) {
    const run = runs[runs.length - 1];
    if (run && continuesRun(run, one)) run.push(one);
    else runs.push([one]);
  }
  return runs;
}

function continuesRun(run, one) {
  const [first, last] = [run[0], run[run.length - 1]];
  if (one.kind !== first.kind || one.sign !== first.sign || one.alike !== first.alike) return false;
  if (one.kind === "vma" || one.kind === "table") return one.sign === "-" && one.key[0] === first.key[0];
  if (one.kind !== "pte" && one.kind !== "frame") return false;
  const at = one.key.length - 1;
  return one.key.slice(0, at).join() === last.key.slice(0, at).join() && one.key[at] === last.key[at] + 1;
}
