// Lecture mode: the rows and frames of this step at twice the size, below them the whole picture as
// a thumbnail without words, and what changed in words.

const LECTURE_SCALE = [2, 2.45];
const THUMBNAIL = {width: 770, height: 470};

// Return the drawing of one step; options.changeLines are [[sign, text]].
function drawLecture(story, track, i, options) {
  const [least, most] = LECTURE_SCALE;
  const scale = Math.min(most, Math.max(least, Math.min(options.width / 780, options.height / 330)));
  const only = lectureLines(story, track, i, options.height / scale);
  const big = {...options, scale, only, openRuns: null, rowPitch: 38, framePitch: 74, foot: 34};
  const drawing = drawPicture(story, track, i, big);
  const {plan} = drawing;
  const below = Math.max(plan.lines.length * plan.pitch + plan.top, plan.framesEnd - (plan.framePitch - plan.frameHeight), plan.swapRoom ? plan.swapTop + plan.swapRoom : 0) + 12;
  const left = plan.height - plan.foot - below;
  drawing.groups.push({key: "below", open: '<g aria-hidden="true">', parts: belowParts(plan, below, left)});
  return drawing;
}

// What this step is about: pages and frames that change, and those that belong to them; of the last
// change if this step has none.
function lectureFocus(story, track, i) {
  let step = i;
  const says = (changes) => changes.entries.some((one) => one.sign) || changes.frames.some((one) => one.sign);
  while (step > 0 && !says(story.changes(step, track))) step -= 1;
  const moment = story.moment(i, track);
  const changes = story.changes(step, track);
  const vpns = new Set(changes.entries.filter((one) => one.sign).map((one) => one.vpn));
  const pfns = new Set(changes.frames.filter((one) => one.sign && one.pfn > 0).map((one) => one.pfn));
  for (const pfn of [...pfns]) for (const user of moment.users(pfn)) vpns.add(user.vpn);
  for (const space of moment.spaces.values()) {
    for (const vpn of vpns) {
      const entry = space.entries.get(vpn);
      if (entry && entry.present && entry.pfn > 0) pfns.add(entry.pfn);
    }
    if (!vpns.size && space.vmas.length) vpns.add(space.vmas[0].start);
  }
  const ascending = (a, b) => a - b;
  return {vpns: [...vpns].sort(ascending), pfns: [...pfns].sort(ascending), swap: changes.slots.length > 0};
}

function lectureLines(story, track, i, height) {
  const {vpns, pfns, swap} = lectureFocus(story, track, i);
  const rows = Math.max(3, Math.floor((height - 110) / 28));
  const frames = Math.max(3, Math.floor((height - 90) / 30));
  const one = (pfn) => ({kind: "one", first: pfn, last: pfn});
  return {
    swap,
    frames: pfns.length ? thinned(pfns.map(one), frames) : Array.from({length: Math.min(2, story.nframes - 1)}, (_, at) => one(at + 1)),
    rows: (grid) => {
      const lines = linesAround(grid.leaves, vpns.filter((vpn) => grid.leaves.some((leaf) => vpn >= leaf.first && vpn <= leaf.last))
        .map((vpn) => ({first: vpn, last: vpn}))).filter((line) => line.kind === "title" || (line.kind === "row" && vpns.includes(line.first)));
      return lines.length <= rows ? lines : rowLines(grid, {changed: vpns, likeness: () => "", opened: []}, rows);
    },
  };
}

// Return at most `most` lines: neighbours share one.
const thinned = (lines, most) => (lines.length <= most ? lines : chunkedFrames(lines, most));

function belowParts(plan, top, room) {
  const parts = [];
  const {story, track, i, options} = plan;
  const scale = Math.min(0.42, (room - 8) / THUMBNAIL.height);
  const hasThumbnail = scale > 0.16 && plan.width >= 560;
  if (hasThumbnail) {
    const whole = drawPicture(story, track, i, {...THUMBNAIL, foot: 4, prefix: "thumb", chosen: "", deep: false});
    const bare = pictureMarkup(whole).replace(/<text[^]*?<\/text>/g, "").replace(/ (?:role|id|tabindex|aria-[a-z]+|data-[a-z]+)="[^"]*"/g, "");
    parts.push({key: "thumbnail", html: `<g class="thumb" data-part="thumbnail" transform="translate(20 ${px(top + 4)}) scale(${px(scale * 100) / 100})">${boxAt(-8, -6, THUMBNAIL.width + 16, THUMBNAIL.height, 6, "sheet")}${bare}</g>`});
  }
  const x = hasThumbnail ? 20 + THUMBNAIL.width * scale + 40 : LEFT;
  const most = Math.max(0, Math.floor(room / 26));
  const rest = hasThumbnail ? [["", say("picture.lecture")]] : [];
  const lines = [...(options.changeLines || []).slice(0, Math.max(0, most - rest.length)), ...rest].slice(0, most);
  lines.forEach(([sign, text], at) => {
    const y = top + 12 + at * 26;
    const words = fitText(text, plan.width - x - 40, "plain");
    const mark = sign ? markAt(x + 12, y, sign) : "";
    parts.push({key: `change${at}`, html: `<g>${mark}${textAt(sign ? x + 30 : x, y + 5, words, "plain")}</g>`});
  });
  return parts;
}
