// Where things stand in the picture. All places follow from the whole story, so that nothing moves:
// what does not exist yet keeps its room, and the room stays empty.

const MOST_TABLES = 3;
const ROW_PITCH = [20, 38];
const FRAME_PITCH = [24, 62];
const LINE_HEIGHT = 28;             // closed tables
const SWAP_PITCH = 26;
const LEFT = 12;
const MEMORY_TOP = 52;
const LEAST_FRAMES = 4;
// Forms of the picture from the roomiest on: widths of a table, a gap, memory; least room for arrows.
const FORMS = {
  1: [{name: "full", table: 230, gap: 26, memory: 232, arrows: 90}],
  2: [{name: "full", table: 206, gap: 26, memory: 232, arrows: 56},
      {name: "full", table: 188, gap: 26, memory: 206, arrows: 46}],
  3: [{name: "slim", table: 158, gap: 16, memory: 186, arrows: 46}],
};
const MINI = {name: "mini", table: 142, gap: 16, memory: 134, arrows: 24};

// ---- the whole story, looked through once -------------------------------------------------------

const surveys = new WeakMap();

// Return what the layout needs to know of all steps of a track:
// live, touched  [mms] by step     reach  highest frame used so far, by step
// frames  [frames that change] by step      exited  [mms that are gone] by step
// pages  Map(vpn -> {likeness, changes})     swap  [slots ever used]     zero  is the zero page mapped
function surveyOf(story, track) {
  if (!surveys.has(story)) surveys.set(story, []);
  const known = surveys.get(story);
  if (!known[track]) known[track] = makeSurvey(story, track);
  return known[track];
}

function makeSurvey(story, track) {
  const survey = {live: [], exited: [], touched: [], reach: [], pages: new Map(), frames: [], slots: new Set(), zero: false,
    columns: new Map(), closed: new Map(), always: new Map()};
  for (let i = 0; i <= story.last; i += 1) {
    const moment = story.moment(i, track);
    const live = [...moment.spaces.keys()];
    const acting = story.processAt(i);
    const process = moment.processes.find((one) => one.name === acting);
    survey.exited.push(exitedBy(survey, live));
    survey.live.push(live);
    if (i === 0) surveyStart(survey, moment);
    else surveyChanges(survey, story.changes(i, track), i, process ? process.mm : 0);
  }
  survey.leaves = leavesOf(survey, story, track);
  survey.swap = [...survey.slots].sort((a, b) => a - b);
  survey.grid = {leaves: survey.leaves, pages: survey.pages, perTable: story.perTable};
  return survey;
}

// The leaf tables of the whole story, by address. Where areas are too large for a list, those with pages.
function leavesOf(survey, story, track) {
  const leaves = new Map(story.extent(track).leaves || []);
  if (!leaves.size) {
    for (const vpn of survey.pages.keys()) {
      const prefix = Math.floor(vpn / story.perTable);
      const [first, last] = leaves.get(prefix) || [vpn, vpn];
      leaves.set(prefix, [Math.min(first, vpn), Math.max(last, vpn)]);
    }
  }
  return [...leaves].map(([prefix, [first, last]]) => ({prefix, first, last})).sort((a, b) => a.first - b.first);
}

// Return the address spaces that were live before and are not now.
function exitedBy(survey, live) {
  if (!survey.live.length) return [];
  const before = survey.live[survey.live.length - 1];
  const exited = survey.exited[survey.exited.length - 1];
  const gone = before.filter((mm) => !live.includes(mm));
  return gone.length ? [...exited, ...gone] : exited;
}

function surveyStart(survey, moment) {
  for (const [mm, space] of moment.spaces) {
    for (const [vpn, entry] of space.entries) notePage(survey, vpn, `${mm}${entryState(entry)}`, entry);
  }
  for (const slot of moment.slots.keys()) survey.slots.add(slot);
  survey.touched.push([]);
  survey.frames.push([]);
  survey.reach.push(Math.max(0, ...moment.frames.keys()));
}

function surveyChanges(survey, changes, i, mm) {
  const touched = new Set();
  if (mm) touched.add(mm);
  for (const one of changes.entries) {
    touched.add(one.mm);
    notePage(survey, one.vpn, `${i}:${one.mm}${one.now ? entryState(one.now) : "gone"}`, one.now);
  }
  for (const one of changes.spaces) touched.add(one.mm);
  for (const one of changes.slots) survey.slots.add(one.slot);
  survey.touched.push([...touched]);
  survey.frames.push(changedFrames(changes));
  survey.reach.push(changes.frames.reduce((most, one) => Math.max(most, one.pfn), survey.reach[i - 1]));
}

// Remember what happened to a page; `likeness` is a number made of all that ever happened to it.
function notePage(survey, vpn, what, entry) {
  let page = survey.pages.get(vpn);
  if (!page) survey.pages.set(vpn, (page = {likeness: 7, changes: 0}));
  for (let at = 0; at < what.length; at += 1) page.likeness = (Math.imul(page.likeness, 31) + what.charCodeAt(at)) | 0;
  page.changes += 1;
  if (entry && entry.zero) survey.zero = true;
}

// ---- columns: which tables stand open, and where -------------------------------------------------

// Return, by step, the address space in each of `most` columns, 0 for none. A table keeps its column
// while it is open; when there are more tables than columns, those that a step touches are open.
function columnsOf(survey, most) {
  if (survey.columns.has(most)) return survey.columns.get(most);
  let columns = Array(most).fill(0);
  const used = Array(most).fill(-1);
  const byStep = survey.live.map((live, i) => {
    const before = i ? survey.live[i - 1] : [];
    const stays = (mm) => live.includes(mm) || before.includes(mm);
    columns = columns.map((mm) => (stays(mm) ? mm : 0));
    const touched = survey.touched[i].filter((mm) => live.includes(mm)).slice(0, most);
    touched.forEach((mm) => openColumn(columns, used, mm, touched));
    live.forEach((mm) => {
      if (columns.includes(0) && !columns.includes(mm)) columns[columns.indexOf(0)] = mm;
    });
    columns.forEach((mm, at) => { if (touched.includes(mm)) used[at] = i; });
    return [...columns];
  });
  survey.columns.set(most, byStep);
  return byStep;
}

function openColumn(columns, used, mm, touched) {
  if (columns.includes(mm)) return;
  let at = columns.indexOf(0);
  if (at < 0) {
    columns.forEach((one, place) => {
      if (!touched.includes(one) && (at < 0 || used[place] < used[at])) at = place;
    });
  }
  columns[at] = mm;
}

// ---- widths and heights --------------------------------------------------------------------------

const widthOf = (form, tables) => LEFT * 2 + tables * form.table + (tables - 1) * form.gap + form.arrows + form.memory;

// Return the form for so many tables in `width` px, or null if they have no room.
function formFor(width, tables, mini) {
  const forms = mini || width < 560 ? [MINI] : [...FORMS[tables], MINI];
  return forms.find((form) => widthOf(form, tables) <= width) || null;
}

// Return {form, count, most}: the form and the number of columns of the whole story.
function columnForm(survey, width, options) {
  let most = options.slots || MOST_TABLES;
  while (most > 1 && !formFor(width, most, options.mini)) most -= 1;
  const count = options.slots ? most
    : columnsOf(survey, most).reduce((more, columns) => columns.reduce((high, mm, at) => (mm ? Math.max(high, at + 1) : high), more), 1);
  let form = formFor(width, count, options.mini) || {...MINI, memory: Math.max(110, Math.min(134, width - 190))};
  if (form.name === "mini") {
    const spare = Math.max(0, Math.min(40, width - widthOf(form, count)));
    form = {...form, table: form.table + spare * 0.5 / count, memory: form.memory + spare * 0.2};
  }
  if (width > 900 && !options.big) {
    const more = Math.min(70, (width - 900) / 4);
    form = {...form, table: form.table + more / count, memory: form.memory + more};
  }
  return {form, count, most};
}

// Small machines are drawn whole, with the top table as a strip; others as paths of chips.
const isWholeTop = (story) => story.levels === 2 && story.perTable <= 16;

// Return the most lines of closed tables that the story needs, in `across` columns.
function closedLines(survey, columns, across) {
  const count = survey.live.reduce((most, live, i) => {
    const exited = survey.exited[i].length ? 1 : 0;
    return Math.max(most, live.filter((mm) => !columns[i].includes(mm)).length + exited);
  }, 0);
  return Math.min(4, Math.ceil(count / across));
}

// Return the plan of one step: places of everything, and what stands where.
function planOf(story, track, i, options) {
  const survey = surveyOf(story, track);
  const scale = options.scale || 1;
  const [width, height] = [options.width / scale, options.height / scale];
  const {form, count, most} = columnForm(survey, width, options);
  const plan = {story, track, i, options, survey, width, height, form: form.name, count, table: form.table,
    gap: form.gap, memoryWidth: form.memory, isWhole: isWholeTop(story), arrows: [], things: new Map()};
  plan.foot = options.foot ?? (options.mini ? 6 : 30);
  plan.columnX = (at) => LEFT + at * (form.table + form.gap);
  plan.right = plan.columnX(count - 1) + form.table;
  plan.memoryX = Math.min(width - form.memory - LEFT, plan.right + (options.big ? 130 : 240));
  plan.top = plan.isWhole ? 76 : 46;
  plan.deep = options.deep ?? story.deep;
  plan.moment = story.moment(i, track);
  plan.changes = story.changes(i, track);
  plan.columns = columnsOf(survey, most)[i].slice(0, count);
  planClosed(plan, columnsOf(survey, most));
  planRows(plan);
  planMemory(plan);
  return plan;
}

function planClosed(plan, byStep) {
  const {survey, i} = plan;
  plan.hidden = survey.live[i].filter((mm) => !plan.columns.includes(mm));
  plan.exited = survey.exited[i].filter((mm) => !plan.columns.includes(mm));
  plan.closedAcross = plan.form === "mini" && plan.count < 2 ? 1 : closedLines(survey, byStep, 1) > 3 ? 2 : 1;
  const key = `${plan.count} ${plan.closedAcross}`;
  if (!survey.closed.has(key)) survey.closed.set(key, plan.options.big ? 0 : closedLines(survey, byStep, plan.closedAcross));
  plan.closedRoom = survey.closed.get(key) * LINE_HEIGHT;
}

function planRows(plan) {
  const {options, survey, changes} = plan;
  const most = options.rowPitch || ROW_PITCH[1];
  const room = plan.height - plan.foot - plan.top - plan.closedRoom - (plan.closedRoom ? 8 : 0);
  const capacity = Math.max(3, Math.floor(room / ROW_PITCH[0]));
  if (options.only) plan.lines = options.only.rows(survey.grid);
  else plan.lines = rowLines(survey.grid, changedNow(plan), capacity);
  const pitch = Math.min(most, Math.max(ROW_PITCH[0], room / Math.max(1, plan.lines.length)));
  plan.pitch = plan.isWhole ? pitch : Math.min(pitch, 36);
  plan.box = Math.round(plan.pitch * 0.7);
  plan.lines.forEach((line, at) => { line.y = plan.top + (at + 0.5) * plan.pitch; });
  plan.places = plan.lines.filter((line) => line.kind !== "title").sort((a, b) => a.first - b.first);
  plan.closedTop = plan.top + plan.lines.length * plan.pitch + 8;
}

// Return what the folding needs to know of this step, for the open tables.
function changedNow(plan) {
  const happens = new Map();
  for (const one of plan.changes.entries) {
    if (!one.sign || !plan.columns.includes(one.mm)) continue;
    happens.set(one.vpn, `${happens.get(one.vpn) || ""} ${one.mm}${one.sign}${one.now ? entryState(one.now) : ""}`);
  }
  for (const probe of plan.options.probes || []) if (!happens.has(probe.vpn)) happens.set(probe.vpn, `probe ${probe.vpn}`);
  const inside = (vpn) => plan.survey.leaves.some((leaf) => vpn >= leaf.first && vpn <= leaf.last);
  return {
    changed: [...happens.keys()].filter(inside).sort((a, b) => a - b),
    likeness: (vpn) => happens.get(vpn),
    opened: plan.options.openRuns ? [...plan.options.openRuns.values()].filter((run) => run.kind === "run") : [],
  };
}

// Return the line on which page `vpn` stands, or undefined.
function lineOf(plan, vpn) {
  let [low, high] = [0, plan.places.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const line = plan.places[middle];
    if (vpn < line.first) high = middle - 1;
    else if (vpn > line.last) low = middle + 1;
    else return line;
  }
  return undefined;
}

// Lines of memory: the zero page if the story maps it, frames, then swap slots that it ever uses.
function planMemory(plan) {
  const {story, survey, options, i} = plan;
  const swapMost = Math.min(survey.swap.length, Math.max(1, Math.min(6, Math.floor((plan.height * 0.3 - 28) / SWAP_PITCH))));
  plan.zeroRoom = survey.zero ? FRAME_PITCH[0] + 6 : 0;
  plan.swapRoom = survey.swap.length && !(options.only && !options.only.swap) ? 28 + swapMost * SWAP_PITCH : 0;
  const tail = options.big || options.mini ? 4 : 24;
  const room = plan.height - plan.foot - MEMORY_TOP - plan.zeroRoom - plan.swapRoom - tail;
  const capacity = Math.max(3, Math.floor(room / FRAME_PITCH[0]));
  const highest = highestFrame(plan, capacity);
  const reach = Math.min(highest, Math.max(LEAST_FRAMES, survey.reach[i] + 1));
  const opened = options.openRuns ? [...options.openRuns.values()].filter((run) => run.kind === "frames") : [];
  let lines = options.only ? options.only.frames : frameLines(highest, survey.frames[i], opened, capacity, alwaysShown(survey, highest, capacity));
  const folded = !options.only && highest > capacity;
  plan.framePitch = Math.min(options.framePitch || FRAME_PITCH[1], Math.max(FRAME_PITCH[0], room / Math.max(1, folded ? capacity : lines.length)));
  const gap = plan.framePitch >= 52 ? 8 : plan.framePitch >= 34 ? 6 : 4;
  plan.frameHeight = Math.min(plan.framePitch - gap, 54);
  const top = MEMORY_TOP + plan.zeroRoom;
  lines.forEach((line, at) => { line.y = top + at * plan.framePitch; });
  const bottom = top + lines.length * plan.framePitch;
  if (!options.only) lines = lines.filter((line) => line.first <= reach).map((line) => (line.last > reach ? {...frameLine(line.first, reach), y: line.y} : line));
  plan.frames = lines;
  plan.framesEnd = lines.length ? lines[lines.length - 1].y + plan.framePitch : top;
  plan.reach = reach;
  plan.swapTop = bottom + tail;
  plan.swapLines = frameRuns(survey.swap, changedSlots(plan), swapMost);
  plan.bottom = Math.max(plan.closedTop + plan.closedRoom, plan.swapTop + plan.swapRoom) + plan.foot;
}

// The last frame that is drawn: one that stays free stands below those of the story, if it has room.
function highestFrame({story, track}, capacity) {
  const {lastPfn} = story.extent(track);
  const free = lastPfn + 1 > capacity && lastPfn <= capacity ? 0 : 1;
  return Math.min(story.nframes - 1, Math.max(LEAST_FRAMES, lastPfn + free));
}

const changedFrames = (changes) =>
  changes.frames.filter((one) => one.sign && one.pfn > 0).map((one) => one.pfn).sort((a, b) => a - b);
const changedSlots = (plan) => new Set(plan.changes.slots.filter((one) => one.sign).map((one) => one.slot));

// Return `numbers` as at most `most` lines: each one, or the changed ones and the rest in one run.
function frameRuns(numbers, changed, most) {
  const one = (number) => ({kind: "one", first: number, last: number, numbers: [number]});
  if (numbers.length <= most) return numbers.map(one);
  const shown = numbers.filter((number) => changed.has(number)).slice(0, most - 1);
  for (const number of numbers) if (shown.length < most - 1 && !shown.includes(number)) shown.push(number);
  const rest = numbers.filter((number) => !shown.includes(number));
  return [...shown.sort((a, b) => a - b).map(one),
    {kind: "run", first: rest[0], last: rest[rest.length - 1], numbers: rest}];
}

// Return the height that this story wants in `width` px, the same at every step.
function heightFor(story, track, width, options = {}) {
  const survey = surveyOf(story, track);
  const {count, most} = columnForm(survey, width, options);
  const rows = survey.leaves.reduce((sum, leaf) => sum + 1 + Math.min(64, leaf.last - leaf.first + 1), 0);
  const frames = Math.min(story.nframes - 1, Math.max(LEAST_FRAMES, story.extent(track).lastPfn + 1));
  const swap = survey.swap.length ? 28 + Math.min(6, survey.swap.length) * SWAP_PITCH : 0;
  const closed = closedLines(survey, columnsOf(survey, most), 1) * LINE_HEIGHT;
  const [row, frame, foot] = options.mini ? [21, 44, 20] : [ROW_PITCH[1], FRAME_PITCH[1], 60];
  const tables = (isWholeTop(story) ? 76 : 46) + Math.max(rows * Math.min(row, 24), Math.min(rows * row, 620)) + closed;
  const memory = MEMORY_TOP + (survey.zero ? 30 : 0) + Math.max(frames * FRAME_PITCH[0], Math.min(frames * frame, 620)) + swap;
  return Math.max(options.mini ? 200 : 440, Math.min(1000, Math.ceil(Math.max(tables, memory) + foot + (count ? 0 : 1))));
}
