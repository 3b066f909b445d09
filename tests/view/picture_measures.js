// What is measured of a drawn picture: each function returns sentences about what is wrong.
const CHANGED = ["entries", "frames", "slots"];

function textBoxes() {
  return [...picture.svg.querySelectorAll("text")].filter((text) => text.textContent.trim() && !text.closest(".thumb"))
    .map((text) => ({text, said: text.textContent, box: text.getBoundingClientRect()}));
}

function overlapping() {
  const all = textBoxes().sort((a, b) => a.box.top - b.box.top);
  const wrong = [];
  all.forEach((one, at) => {
    for (let next = at + 1; next < all.length && all[next].box.top < one.box.bottom - 3; next += 1) {
      const other = all[next];
      const across = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
      if (across > 0.5) wrong.push(`"${one.said}" and "${other.said}" overlap by ${across.toFixed(1)} px`);
    }
  });
  return wrong;
}

function cut() {
  const whole = picture.svg.getBoundingClientRect();
  const wrong = [];
  for (const {text, said, box} of textBoxes()) {
    if (box.left < whole.left - 0.5 || box.right > whole.right + 0.5 || box.top < whole.top - 0.5 || box.bottom > whole.bottom + 0.5) {
      wrong.push(`"${said}" is cut by the edge of the picture`);
    }
    const option = text.closest("[role=option]");
    const frame = option && !text.closest("[data-change]") && option.querySelector(".box").getBoundingClientRect();
    if (!frame) continue;
    const isAddress = text.classList.contains("m");
    if (isAddress ? box.right > frame.left : box.left < frame.left || box.right > frame.right) wrong.push(`"${said}" leaves its box`);
  }
  return wrong;
}

const small = (least) => textBoxes().filter(({text}) => {
  const scale = text.getScreenCTM().a;
  return parseFloat(getComputedStyle(text).fontSize) * scale < least - 0.01;
}).map(({said}) => `"${said}" is smaller than ${least} px`);

// Arrows are the present entries of the open tables: each once, none more.
function arrows(moment) {
  const drawn = [...picture.svg.querySelectorAll("[data-arrow][data-to]")].map((one) => `${one.dataset.arrow}>${one.dataset.to}`);
  const open = [...picture.svg.querySelectorAll("[data-mm]")].map((one) => Number(one.dataset.mm));
  const true_ = open.flatMap((mm) => moment.entriesOf(mm).filter((entry) => entry.present).map((entry) => `${slotKey(mm, entry.vpn)}>${entry.pfn}`));
  const wrong = true_.filter((one) => !drawn.includes(one)).map((one) => `no arrow for ${one}`);
  wrong.push(...drawn.filter((one) => !true_.includes(one)).map((one) => `an arrow too many: ${one}`));
  if (drawn.length !== new Set(drawn).size) wrong.push("an arrow is drawn twice");
  if (!open.length && moment.spaces.size) wrong.push("no table is open");
  return wrong;
}

// Every changed slot of an open table, frame and swap slot is in sight, by itself or in a run.
function unseen(changes, bottom) {
  const {things, plan} = picture.drawing;
  const wrong = [];
  const rect = new Map([...picture.svg.querySelectorAll("[data-key]")].map((one) => [one.dataset.key, one.querySelector(".box").getBoundingClientRect()]));
  const holds = (key, what, one) => [...things].some(([name, thing]) => rect.has(name) && (
    (what === "entries" && thing.kind === "run" && thing.mm === one.mm && thing.first <= one.vpn && one.vpn <= thing.last)
    || (what === "frames" && thing.kind === "frames" && thing.first <= one.pfn && one.pfn <= thing.last)
    || (what === "slots" && thing.kind === "slots" && thing.numbers.includes(one.slot))));
  const keyOf = {entries: (one) => slotKey(one.mm, one.vpn), frames: (one) => frameKey(one.pfn), slots: (one) => swapKey(one.slot)};
  for (const what of CHANGED) {
    for (const one of changes[what]) {
      if (!one.sign || (what === "entries" && !plan.columns.includes(one.mm)) || (what === "frames" && one.pfn === 0)) continue;
      const key = keyOf[what](one);
      const box = rect.get(key);
      if (!box && !holds(key, what, one)) wrong.push(`${key} changed and is not drawn`);
      if (box && (box.bottom > bottom + 0.5 || box.top < 0)) wrong.push(`${key} changed and is out of sight`);
    }
  }
  return wrong;
}

// Return {key: [left, top]} of all slots and frames, and whether the grid could move.
function places() {
  const out = {};
  for (const one of picture.svg.querySelectorAll("[data-key]")) {
    const table = one.closest("[data-mm]");
    const box = one.querySelector(".box").getBoundingClientRect();
    if (table || one.closest("[data-part=memory]")) out[one.dataset.key] = `${box.left.toFixed(1)} ${box.top.toFixed(1)}`;
  }
  return out;
}

const gridOf = () => JSON.stringify([picture.drawing.plan.lines.map((line) => [line.kind, line.first, line.last]),
  picture.drawing.plan.columns.filter(Boolean), foldedFrames()]);
const foldedFrames = () => {
  const lines = picture.drawing.plan.frames.map((line) => [line.kind, line.first, line.last]);
  return lines.some(([kind]) => kind === "run") ? lines : [];
};

function moved(before, now) {
  return Object.keys(now).filter((key) => key in before && before[key] !== now[key]).map((key) => `${key} moved from ${before[key]} to ${now[key]}`);
}

// Draw every step of the story and return everything that is wrong.
function measureAll(options, {least = 12, still = true} = {}) {
  const wrong = [];
  let before = null;
  for (let i = 0; i <= story.last; i += 1) {
    paint(i, options);
    const bottom = options.height;
    const said = [...overlapping(), ...cut(), ...small(least), ...(options.big ? [] : arrows(story.moment(i))), ...unseen(story.changes(i), bottom)];
    const grid = gridOf();
    const now = places();
    if (still && before && (still === "always" || before.grid === grid)) said.push(...moved(before.now, now));
    before = {now, grid};
    wrong.push(...said.map((sentence) => `step ${i}: ${sentence}`));
  }
  return wrong;
}
Object.assign(window, {measureAll});
