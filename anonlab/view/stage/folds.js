// Which rows a table has. Rows of all open tables stand on one grid, and the grid is that of the
// whole story, so nothing moves. What does not fit is folded, in this order, until it fits:
//   1. every page of every area has its row;
//   2. neighbours that are alike at every step share a row, now and always, where rows do not suffice;
//   3. the pages that change most keep their rows; those of this step have theirs; the rest is runs;
//   4. neighbours that change together now share a row;
//   5. a table of entries is one row;  6. several tables are.
// A line of the grid: {kind: "title", prefix} | {kind: "row", first, last} | {kind: "run", first,
// last, pages, quiet}. `quiet` runs hold nothing that changes at this step; `titled` lines stand below the
// title of their table.

const FEWEST_TO_FOLD = 3;

// Return the lines for `segments` ({first, last}, ascending, each inside one leaf table): each a
// line, what lies between them runs, tables without any segment one run with their neighbours.
function linesAround(leaves, segments) {
  const lines = [];
  let next = 0;
  let skipped = null;
  for (const leaf of leaves) {
    const own = [];
    while (next < segments.length && segments[next].first <= leaf.last) own.push(segments[next++]);
    if (!own.length) {
      if (skipped) Object.assign(skipped, {last: leaf.last, pages: skipped.pages + leaf.last - leaf.first + 1});
      else lines.push((skipped = runLine(leaf.first, leaf.last, true)));
      continue;
    }
    skipped = null;
    lines.push({kind: "title", prefix: leaf.prefix});
    const start = lines.length;
    let at = leaf.first;
    for (const segment of own) {
      pushRun(lines, at, segment.first - 1);
      lines.push(segment.first === segment.last ? rowLine(segment.first) : runLine(segment.first, segment.last, false));
      at = segment.last + 1;
    }
    pushRun(lines, at, leaf.last);
    for (const line of lines.slice(start)) line.titled = true;
  }
  return lines;
}

const rowLine = (vpn) => ({kind: "row", first: vpn, last: vpn, pages: 1});
const runLine = (first, last, quiet) => ({kind: "run", first, last, pages: last - first + 1, quiet});

function pushRun(lines, first, last) {
  if (last - first + 1 >= FEWEST_TO_FOLD) lines.push(runLine(first, last, true));
  else for (let vpn = first; vpn <= last; vpn += 1) lines.push(rowLine(vpn));
}

// Return all pages of `leaves` as segments, or null if they are more than `most`.
function everyPage(leaves, most) {
  const total = leaves.reduce((sum, leaf) => sum + leaf.last - leaf.first + 1, 0);
  if (total > most) return null;
  return leaves.flatMap((leaf) =>
    Array.from({length: leaf.last - leaf.first + 1}, (_, at) => ({first: leaf.first + at, last: leaf.first + at})));
}

// Return `vpns` (ascending) as segments; neighbours with equal `likeness` in one leaf share one.
function alikeSegments(vpns, likeness, perTable) {
  const segments = [];
  for (const vpn of vpns) {
    const last = segments[segments.length - 1];
    const alike = last && last.last === vpn - 1 && vpn % perTable !== 0 && likeness(vpn - 1) === likeness(vpn);
    if (alike) last.last = vpn;
    else segments.push({first: vpn, last: vpn});
  }
  return segments.flatMap((one) =>
    one.last - one.first + 1 >= FEWEST_TO_FOLD ? [one]
      : Array.from({length: one.last - one.first + 1}, (_, at) => ({first: one.first + at, last: one.first + at})));
}

// Return the union of two lists of segments; where they overlap, `finer` decides.
function mergedSegments(coarse, finer) {
  const out = [...finer];
  for (const segment of coarse) {
    let at = segment.first;
    for (const fine of finer) {
      if (fine.last < at || fine.first > segment.last) continue;
      if (fine.first > at) out.push({first: at, last: fine.first - 1});
      at = fine.last + 1;
    }
    if (at <= segment.last) out.push({first: at, last: segment.last});
  }
  return out.sort((a, b) => a.first - b.first);
}

// Return one line for each table that has a segment, then for several of them, `most` at most.
function tableLines(leaves, segments, most) {
  const lines = [];
  let next = 0;
  for (const leaf of leaves) {
    const before = next;
    while (next < segments.length && segments[next].first <= leaf.last) next += 1;
    const quiet = next === before;
    const last = lines[lines.length - 1];
    if (last && quiet && last.quiet) Object.assign(last, {last: leaf.last, pages: last.pages + leaf.last - leaf.first + 1});
    else lines.push(runLine(leaf.first, leaf.last, quiet));
  }
  const each = Math.ceil(lines.length / most);
  return each < 2 ? lines : lines.flatMap((line, at) => {
    if (at % each) return [];
    const group = lines.slice(at, at + each);
    return [{
      kind: "run",
      first: line.first,
      last: group[group.length - 1].last,
      pages: group.reduce((sum, one) => sum + one.pages, 0),
      quiet: group.every((one) => one.quiet),
    }];
  });
}

// Return the lines of the grid: at most `most`, but what the reader opened stays open.
// grid  {leaves [{prefix, first, last}], pages Map(vpn -> {likeness, changes}), perTable}
// now   {changed [vpn], likeness (vpn -> what happens to it at this step), opened [{first, last}]}
function rowLines(grid, now, most) {
  const {leaves, perTable} = grid;
  const opened = now.opened.flatMap(({first, last}) =>
    everyPage(leaves.map((leaf) => ({first: Math.max(first, leaf.first), last: Math.min(last, leaf.last)}))
      .filter((part) => part.first <= part.last), 512) || []);
  const fits = (lines) => lines.length <= most + opened.length;
  const every = everyPage(leaves, most);
  if (every) {
    const lines = linesAround(leaves, every);
    if (fits(lines)) return lines;
  }
  const story = storySegments(grid);
  const always = linesAround(leaves, mergedSegments(unfoldedSegments(grid, story, most), opened));
  if (fits(always)) return always;
  const each = mergedSegments([], now.changed.map((vpn) => ({first: vpn, last: vpn})));
  const together = alikeSegments(now.changed, now.likeness, perTable);
  const kept = keptSegments(grid, story, most);
  for (const [coarse, fine] of [[kept, each], [kept, together], [[], each], [[], together]]) {
    const lines = linesAround(leaves, mergedSegments(mergedSegments(coarse, fine), opened));
    if (fits(lines)) return lines;
  }
  if (opened.length) return linesAround(leaves, mergedSegments(together, opened));
  return tableLines(leaves, together, most);
}

// The pages that are ever mapped, neighbours that are alike at every step together.
function storySegments(grid) {
  if (!grid.story) {
    const vpns = [...grid.pages.keys()].sort((a, b) => a - b);
    grid.story = alikeSegments(vpns, (vpn) => grid.pages.get(vpn).likeness, grid.perTable);
  }
  return grid.story;
}

// Return the segments of the story, opened where rows are left: those first that change most.
function unfoldedSegments(grid, story, most) {
  grid.unfolded = grid.unfolded || new Map();
  if (grid.unfolded.has(most)) return grid.unfolded.get(most);
  const pagesOf = ({first, last}) => last - first + 1;
  const ranked = story.filter((one) => pagesOf(one) > 1 && pagesOf(one) <= most)
    .sort((a, b) => grid.pages.get(b.first).changes - grid.pages.get(a.first).changes || pagesOf(a) - pagesOf(b) || a.first - b.first);
  let segments = story;
  for (const {first, last} of ranked.slice(0, most)) {
    const each = Array.from({length: last - first + 1}, (_, at) => ({first: first + at, last: first + at}));
    const tried = mergedSegments(segments, each);
    if (linesAround(grid.leaves, tried).length <= most) segments = tried;
  }
  grid.unfolded.set(most, segments);
  return segments;
}

// Those that change most: as many as leave six lines for what else happens.
function keptSegments(grid, story, most) {
  grid.kept = grid.kept || new Map();
  if (grid.kept.has(most)) return grid.kept.get(most);
  const ranked = [...story].sort((a, b) =>
    grid.pages.get(b.first).changes - grid.pages.get(a.first).changes || a.first - b.first);
  let [least, above] = [0, ranked.length + 1];
  while (above - least > 1) {
    const count = (least + above) >> 1;
    const chosen = ranked.slice(0, count).sort((a, b) => a.first - b.first);
    if (linesAround(grid.leaves, chosen).length <= most - 6) least = count;
    else above = count;
  }
  const kept = ranked.slice(0, least).sort((a, b) => a.first - b.first);
  grid.kept.set(most, kept);
  return kept;
}

// Return the lines of memory for frames 1 to `last`: at most `most`. The first `always` stand always,
// further ones while they change, the rest is runs: {kind: "one", first, last} | {kind: "run", …}.
// changed  frames that change at this step, ascending      opened  runs that the reader opened
function frameLines(last, changed, opened, most, always) {
  if (last <= most) return Array.from({length: last}, (_, at) => frameLine(at + 1, at + 1));
  const open = new Set(opened.flatMap((run) =>
    Array.from({length: Math.min(512, run.last - run.first + 1)}, (_, at) => run.first + at)));
  for (let count = always; ; count = Math.max(0, count - 2)) {
    const around = (first) => framesAround(last, new Set([...changed, ...open]), first);
    let lines = around(count);
    if (lines.length <= most + open.size || (count === 0 && open.size)) {
      // Lines that are left at this step are for the frames that follow.
      for (let more = count + 1; more <= last; more += 1) {
        const longer = around(more);
        if (longer.length > most + open.size) break;
        lines = longer;
      }
      return lines;
    }
    if (count === 0) return chunkedFrames(lines, most);
  }
}

const frameLine = (first, last) => ({kind: first === last ? "one" : "run", first, last});

function framesAround(last, shown, count) {
  const lines = [];
  for (let pfn = 1; pfn <= Math.min(count, last); pfn += 1) shown.add(pfn);
  let at = 1;
  for (const pfn of [...shown].sort((a, b) => a - b)) {
    if (pfn > at) lines.push(frameLine(at, pfn - 1));
    lines.push(frameLine(pfn, pfn));
    at = pfn + 1;
  }
  if (at <= last) lines.push(frameLine(at, last));
  return lines;
}

// Return how many of the first frames can stand at nearly all steps: the more, the less moves.
function alwaysShown(survey, last, most) {
  const key = `${last} ${most}`;
  if (survey.always.has(key)) return survey.always.get(key);
  const need = (count, changed) => count + 1 + 2 * changed.filter((pfn) => pfn > count).length;
  const busy = survey.frames.filter((changed) => changed.length);
  let count = Math.max(0, most - 1);
  while (count > 2 && busy.filter((changed) => need(count, changed) > most).length > busy.length * 0.1) count -= 1;
  survey.always.set(key, count);
  return count;
}

// So many frames change that their lines do not fit: neighbours share a line.
function chunkedFrames(lines, most) {
  const each = Math.ceil(lines.length / most);
  return lines.flatMap((line, at) => {
    if (at % each) return [];
    const group = lines.slice(at, at + each);
    return [frameLine(line.first, group[group.length - 1].last)];
  });
}
