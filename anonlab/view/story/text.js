// The text twin of a moment: the same lines as text.py, string for string, from the same words.
const TWIN_COLUMNS = 80;

// Return the lines of the text twin, at most 80 columns wide.
function twinLines(moment, story) {
  return twinSentences(moment, story).flatMap(twinWrapped);
}

// Return a name as text: as it is if plain, else in quotation marks with escapes.
const quoted = (name) => (/^[A-Za-z0-9_.:+/@-]+$/.test(name) ? name : JSON.stringify(name));

// Return the length as people count: characters, not halves of them.
const lengthOf = (text) => [...text].length;

// Break a line at its spaces, but never inside a quoted name.
function twinWrapped(sentence) {
  if (lengthOf(sentence) <= TWIN_COLUMNS) return [sentence];
  const indent = /^ */.exec(sentence)[0];
  const lines = [];
  let line = "";
  for (const word of sentence.match(/(?:"(?:[^"\\]|\\.)*"|[^ "])+/g)) {
    if (line && lengthOf(line) + 1 + lengthOf(word) > TWIN_COLUMNS) {
      lines.push(line);
      line = `${indent}    ${word}`;
    } else line = line ? `${line} ${word}` : indent + word;
  }
  return [...lines, line];
}

function twinSentences(moment, story) {
  return [
    twinMachine(moment, story),
    ...moment.processes.map(twinProcess),
    ...[...moment.spaces.values()].flatMap((space) => twinSpace(moment, story, space)),
    ...twinFrames(moment, story),
    ...twinSlots(moment),
    ...moment.files.flatMap(twinFile),
    ...twinGraph(moment, story),
    ...[...moment.walks.values()].map((walk) => twinWalk(walk, story)),
  ];
}

function twinMachine(moment, story) {
  const { nframes, nswap } = story;
  const machine = story.machine || `${story.levels}x${story.bits}`;
  const design = quoted(story.designs[moment.track]);
  return say("twin.machine", { machine, design, used: moment.frames.size, nframes, nswap });
}

function twinProcess(process) {
  const parent = process.parent && quoted(process.parent);
  const program = process.program && quoted(process.program);
  return say("twin.process", { ...process, name: quoted(process.name), parent, program, exited: !process.mm });
}

function twinSpace(moment, story, space) {
  const { bits, levels } = story;
  const digits = addressDigits(story);
  const who = space.names.map(quoted).join(", ") || say("twin.nobody");
  const lines = [say("twin.space", { mm: space.mm, who, pgd: space.pgd, home: space.home && quoted(space.home) })];
  for (const vma of space.vmas) lines.push(twinVma(vma, digits));
  for (const [level, tables] of byNumber(space.tables)) {
    for (const [prefix, row] of byNumber(tables)) {
      const vpn = prefix * 2 ** (bits * (levels - level));
      const key = level < levels - 1 ? "twin.upper" : "twin.table";
      lines.push(say(key, { level, vpn, row, digits }));
    }
  }
  for (const run of twinRuns(moment, story, space.mm)) lines.push(twinEntries(moment, story, run));
  return lines;
}

// Return how many hex digits write any address of the machine.
const addressDigits = (story) => Math.ceil((story.levels * story.bits + 12) / 4);

// Return the pairs of a map whose keys are numbers, ascending.
const byNumber = (map) => [...map].sort((one, other) => one[0] - other[0]);

function twinVma(vma, digits) {
  return say("twin.vma", {
    ...vma,
    vpn: vma.start,
    digits,
    pages: vma.end - vma.start,
    private: !vma.shared,
    file: vma.file && quoted(vma.file),
    anonymous: !vma.file,
  });
}

// Return neighbouring entries that one line can tell; on a small machine each has its own.
function twinRuns(moment, story, mm) {
  const runs = [];
  let last;
  for (const entry of moment.entriesOf(mm)) {
    const told = entry.present ? `${entry.letters} ${entry.zero} ${moment.users(entry.pfn).length}` : "swapped out";
    const run = runs[runs.length - 1];
    if (run && !isWholeMachine(story) && told === last && entry.vpn === run[run.length - 1].vpn + 1) run.push(entry);
    else runs.push([entry]);
    last = told;
  }
  return runs;
}

// True if the tables of the machine are small enough to be told slot by slot.
const isWholeMachine = (story) => story.levels === 2 && story.perTable <= 16;

function twinEntries(moment, story, run) {
  const [first] = run;
  const where = { n: run.length, vpn: first.vpn, digits: addressDigits(story) };
  if (!first.present) return say("twin.swapped", { ...where, slots: numbersInWords(run.map((entry) => entry.slot)) });
  const mappers = first.zero ? 0 : moment.users(first.pfn).length;
  return say("twin.page", {
    ...where,
    frames: numbersInWords(run.map((entry) => entry.pfn)),
    write: first.write,
    read: !first.write,
    zero: first.zero,
    mappers: mappers > 1 ? mappers : 0,
    bits: first.letters,
  });
}

// Return "3", or "12 to 19 and 25" in the order given.
function numbersInWords(numbers) {
  const runs = [];
  for (const number of numbers) {
    const run = runs[runs.length - 1];
    if (run && number === run[1] + 1) run[1] = number;
    else runs.push([number, number]);
  }
  return runs.map(([first, last]) => spanInWords(first, last)).join(say("twin.and"));
}

const spanInWords = (first, last) => (first === last ? String(first) : say("twin.run", { first, last }));

function twinFrames(moment, story) {
  const runs = [];
  for (const frame of moment.frames.values()) {
    const run = runs[runs.length - 1];
    if (run && !isWholeMachine(story) && frameFollows(moment, run, frame)) run.push(frame);
    else runs.push([frame]);
  }
  return runs.map((run) => twinFrame(moment, run));
}

function frameFollows(moment, run, frame) {
  const last = run[run.length - 1];
  const alike = ["count", "mapcount", "mapping", "flags", "private"].every((name) => frame[name] === last[name]);
  if (!alike || frame.private || frame.pfn !== last.pfn + 1 || frame.index !== last.index + 1) return false;
  const step = tagStep(last.data, frame.data);
  if (step !== (run.length > 1 ? tagStep(run[0].data, run[1].data) : step) || (step !== 0 && step !== 1)) return false;
  const [one, other] = [last, frame].map((each) => String(moment.users(each.pfn).map((user) => user.mm)));
  return one === other;
}

function twinFrame(moment, run) {
  const frame = run[0];
  const last = run[run.length - 1];
  const mms = [...new Set(moment.users(frame.pfn).map((user) => user.mm))];
  return say("twin.frame", {
    ...frame,
    n: run.length,
    last: last.pfn,
    mapping: frame.owner && quoted(frame.owner),
    free: !frame.owner,
    index: spanInWords(hexOf(frame.index), hexOf(last.index)),
    content: spanInWords(String(frame.data), String(last.data)),
    flags: flagWords(frame.flags).join(say("twin.and")),
    slot: frame.private,
    zero: frame.pfn === 0,
    mms: mms.length,
    spaces: mms.join(say("twin.and")),
    unmapped: !mms.length,
  });
}

const flagWords = (flags) => PAGE_FLAGS.filter(([bit]) => hasBit(flags, bit)).map(([, name]) => name);

const twinSlots = (moment) =>
  byNumber(moment.slots).map(([, slot]) => say("twin.swap", { ...slot, content: slot.data }));

function twinFile(file) {
  const { name, shmem, cached } = file;
  const lines = [say("twin.file", { ...file, name: quoted(name), plain: !shmem, cached: cached.length })];
  let run = [];
  for (const [pgoff, pfn] of [...cached, [-1, -1]]) {
    const [last, end] = run[run.length - 1] || [];
    if (run.length && (pgoff !== last + 1 || pfn !== end + 1)) {
      lines.push(say("twin.cached", { n: run.length, pgoff: run[0][0], last, pfn: run[0][1], end }));
      run = [];
    }
    run.push([pgoff, pfn]);
  }
  return lines;
}

function twinGraph(moment, story) {
  const nodes = moment.nodes.map(({ id, kind, label, facts }) => {
    const told = facts.map(([name, value]) => say("twin.fact", { name: quoted(name), value: quoted(value) }));
    return say("twin.node", { id: quoted(id), kind: quoted(kind), label: quoted(label), facts: told.join("") });
  });
  const edges = moment.edges.map(({ tail, head, kind }) =>
    say("twin.edge", { kind: quoted(kind), tail: quoted(tail), head: quoted(head) }));
  const costs = story.counters
    .map((name, at) => [name, moment.cost[at]])
    .filter(([, value]) => value)
    .map(([name, value]) => say("twin.cost", { name: quoted(name), value }));
  return [...nodes, ...edges, ...costs];
}

function twinWalk(walk, story) {
  const probes = walk.probes.map((probe) => say("twin.probe", { ...probe, digits: addressDigits(story), miss: !probe.hit }));
  return say("twin.walk", { ...walk, via: quoted(walk.via), probes: probes.join(", ") });
}
