// Physical memory: the zero page, frames, and below them swap slots; closed page tables as lines.

const SWAP_HEIGHT = 22;

function memoryGroup(plan) {
  const parts = [{key: "head", html: `<g>${memoryHead(plan)}</g>`}];
  if (plan.zeroRoom) parts.push(zeroPart(plan));
  const width = plan.memoryWidth;
  for (const line of plan.frames) {
    const box = [plan.memoryX, line.y, width, plan.frameHeight];
    if (line.kind === "one") parts.push(...frameParts(plan, line.first, box));
    else parts.push(framesPart(plan, line, box));
  }
  if (!plan.options.big && plan.form !== "mini") {
    const foot = memoryFoot(plan);
    if (foot) parts.push({key: "rest", html: `<g>${textAt(plan.memoryX, plan.framesEnd + 13, foot, "muted")}</g>`});
  }
  return {key: "memory", open: `<g role="group" aria-label="${escapeText(say("picture.memory"))}" data-part="memory">`, parts};
}

// The frames that have no box: the zero page if the story never maps it, and those that are free.
function memoryFoot(plan) {
  const [first, last] = [plan.reach + 1, plan.story.nframes - 1];
  const numbers = first < last ? `${first}–${last}` : first === last ? String(last) : "";
  const zero = plan.zeroRoom ? "" : 1;
  const texts = [say("frame.rest", {zero, numbers, both: zero && numbers}), say("frame.rest", {zero: "", numbers, both: ""})];
  return zero || numbers ? firstThatFits(texts, plan.memoryWidth, "small") : "";
}

function memoryHead(plan) {
  const title = firstThatFits([say("picture.memory"), say("picture.memory-short")], plan.memoryWidth, "title");
  const args = {used: plan.moment.frames.size, nframes: plan.story.nframes};
  const used = firstThatFits([say("picture.used", args), say("picture.used-short", args)], plan.memoryWidth, "small");
  return textAt(plan.memoryX, 21, title, "title") + textAt(plan.memoryX, 39, used, "muted");
}

// The zero page: nobody owns it, everybody may read it.
function zeroPart(plan) {
  const box = [plan.memoryX, MEMORY_TOP, plan.memoryWidth, 22];
  const middle = box[1] + 15.5;
  const words = say("frame.zero");
  const key = frameKey(0);
  plan.ends.set("0", {x: box[0], y: box[1] + 11, height: box[3], key});
  plan.things.set(key, {kind: "frame", pfn: 0});
  const body = boxAt(...box) + textAt(box[0] + 14, middle, "0", "strong") + textAt(box[0] + 40, middle, words, "strong");
  return {key, html: optionHtml(plan, {key, look: "zero", seen: ["0", words], more: say("frame.name", {pfn: 0, free: "", mapcount: 0, n: 0, owner: ""}), body, box, sign: ""})};
}

// What a frame holds, who maps it: everything that is said of it.
function frameFacts(plan, pfn) {
  const frame = plan.moment.frames.get(pfn) || null;
  const users = plan.moment.users(pfn);
  const sign = plan.changes.sign(frameKey(pfn));
  const letters = [...new Set(users.map((one) => plan.story.letter(one.mm)))];
  const file = frame && frame.owner ? fileOf(plan, frame) : null;
  const holds = !frame ? say("frame.free")
    : file ? say("frame.file", {file: file.name, page: frame.index})
    : say("frame.holds", {data: frame.data});
  const sharing = users.length > 1 ? say("frame.shared", {n: users.length}) : users.length ? say("frame.one") : frame ? say("frame.nobody") : "";
  const short = frame && !file ? say("frame.tag", {data: frame.data}) : holds;
  const look = !frame ? (sign === "G" ? "gone" : "free") : file ? "file" : users.some((one) => one.write) ? "write" : "read";
  return {pfn, frame, users, sign, letters, file, holds, short, sharing, look};
}

// The file or shared memory whose page a frame holds.
function fileOf(plan, frame) {
  if (plan.files === undefined) plan.files = new Map(plan.moment.files.map((file) => [file.mapping, file]));
  return plan.files.get(frame.mapping) || null;
}

function frameParts(plan, pfn, box) {
  const facts = frameFacts(plan, pfn);
  const key = frameKey(pfn);
  plan.ends.set(String(pfn), {x: box[0], y: box[1] + box[3] / 2, height: box[3], key});
  plan.things.set(key, {kind: "frame", pfn});
  const inside = box[3] >= 46 ? twoLines(plan, facts, box) : oneLine(plan, facts, box);
  const body = boxAt(...box, 6) + inside.html + (facts.sign ? markAt(box[0] + box[2] - 1, box[1] + 3, facts.sign) : "");
  const {frame} = facts;
  const more = say("frame.name", {pfn, free: frame ? "" : 1, mapcount: frame ? frame.mapcount : 0, n: frame ? frame.mapcount : 0, owner: facts.file ? "" : frame && frame.owner || ""});
  const parts = [{key, html: optionHtml(plan, {key, look: facts.look, seen: inside.seen, more, body, box, sign: facts.sign})}];
  pushPart(parts, `j${key}`, judgedHtml(plan, key, box, "left"));
  return parts;
}

// Letters of the address spaces that map a frame; when there are too many, the first ones.
function lettersText(letters, room) {
  for (let count = letters.length; count > 0; count -= 1) {
    const rest = letters.length - count;
    const text = letters.slice(0, count).join(" ") + (rest ? ` +${rest}` : "");
    if (textWidth(text, "smallStrong") <= room) return text;
  }
  return letters.length ? String(letters.length) : "";
}

function twoLines(plan, facts, [x, y, width, height]) {
  const {pfn, frame, holds, sharing} = facts;
  const left = x + 14;
  const right = x + width - 14;
  const number = String(pfn);
  const start = left + Math.max(26, textWidth(number, "number") + 8);
  const main = frame ? "strong" : "plain";
  if (!frame) {
    return {seen: [number, holds], html: textAt(left, y + 21, number, "number") + textAt(start, y + 20, holds, main)};
  }
  const above = textWidth(sharing, "small") + 10;
  const isTight = textWidth(holds, main) > right - start - above;
  const what = fitMiddle(holds, right - start - (isTight ? 0 : above), main);
  const low = y + height - 7.5;
  const letters = lettersText(facts.letters, width - 28 - (isTight ? above : 0));
  const end = isTight ? right - above : right;
  const from = Math.max(start, left + (letters ? textWidth(letters, "smallStrong") + 10 : 0));
  const deep = plan.deep && !facts.file ? firstThatFits(deepTexts(plan, frame), end - from, "small") : "";
  return {
    seen: [number, what, sharing, letters, deep],
    html: textAt(left, y + 21, number, "number") + textAt(start, y + 20, what, main)
      + textAt(right, isTight ? low : y + 20, sharing, "small", "end")
      + textAt(left, low, letters, "smallStrong") + textAt(from, low, deep, "small"),
  };
}

// The index says where in the area the page belongs; the count says how many hold it.
function deepTexts(plan, frame) {
  const args = {index: frame.index, count: frame.count, n: frame.count};
  const slot = frame.private ? say("frame.slot", {slot: frame.private}) : "";
  return [slot, say("frame.index-count", args), say("frame.index", args)];
}

function oneLine(plan, facts, [x, y, width, height]) {
  const {pfn, frame, holds} = facts;
  const base = y + height / 2 + 4.6;
  const isMini = plan.form === "mini";
  const left = x + (isMini ? 9 : 14);
  const right = x + width - (isMini ? 13 : 14);
  const number = String(pfn);
  const start = left + Math.max(isMini ? 17 : 26, textWidth(number, "strong") + 8);
  const main = frame ? "strong" : "plain";
  if (!frame) return {seen: [number, holds], html: textAt(left, base, number, "strong") + textAt(start, base, holds, main)};
  const roomy = right - start;
  const wanted = lettersText(facts.letters, roomy * 0.5);
  const forWhat = roomy - (wanted ? textWidth(wanted, "smallStrong") + 8 : 0);
  const what = firstThatFits([holds, facts.short], forWhat, main) || fitMiddle(isMini ? facts.short : holds, forWhat, main);
  const letters = lettersText(facts.letters, roomy - textWidth(what, main) - 8);
  const middle = start + textWidth(what, main) + 12;
  const room = right - middle - (letters ? textWidth(letters, "smallStrong") + 10 : 0);
  const sharing = isMini ? "" : firstThatFits([facts.sharing], room, "small");
  return {
    seen: [number, what, sharing, letters],
    html: textAt(left, base, number, "strong") + textAt(start, base, what, main)
      + textAt(middle, base, sharing, "small") + textAt(right, base, letters, "smallStrong", "end"),
  };
}

// Frames that stay as they are, on one line.
function framesPart(plan, line, box) {
  const key = `r${frameKey(line.first)}`;
  let used = 0;
  let sign = "";
  for (let pfn = line.first; pfn <= line.last; pfn += 1) {
    if (plan.moment.frames.has(pfn)) used += 1;
    const one = plan.changes.sign(frameKey(pfn));
    if (one) sign = sign && sign !== one ? "C" : one;
    plan.ends.set(String(pfn), {x: box[0], y: box[1] + box[3] / 2, height: box[3], key});
  }
  plan.things.set(key, {kind: "frames", first: line.first, last: line.last});
  const args = {first: line.first, last: line.last, used, n: line.last - line.first + 1};
  const text = firstThatFits([sign ? "" : say("frames.quiet", args), say("frames.all", args), say("frames.short", args)], box[2] - 28, "small")
    || fitText(say("frames.short", args), box[2] - 28, "small");
  const body = `<path class="pile" d="M${px(box[0] + 5)} ${px(box[1] + box[3] + 2.5)}H${px(box[0] + box[2] - 5)}"/>` + boxAt(...box, 6)
    + textAt(box[0] + 14, box[1] + box[3] / 2 + 4.4, text, "small") + (sign ? markAt(box[0] + box[2] - 1, box[1] + 3, sign) : "");
  return {key, html: optionHtml(plan, {key, look: "strip run", seen: [text], more: say("frames.name", args), body, box, sign})};
}

// ---- swap -------------------------------------------------------------------------------------------

// Slots in use; those of the whole story keep their room.
function swapGroup(plan) {
  const {slots} = plan.moment;
  const parts = [];
  const inUse = plan.swapLines.some((line) => line.numbers.some((slot) => slots.has(slot) || plan.changes.sign(swapKey(slot))));
  if (inUse) {
    const args = {used: slots.size, n: plan.story.nswap};
    const text = firstThatFits([say("swap.used", args), say("swap.used-short", args)], plan.memoryWidth, "title");
    parts.push({key: "head", html: `<g>${textAt(plan.memoryX, plan.swapTop + 16, text, "title")}</g>`});
  }
  plan.swapLines.forEach((line, at) => {
    const box = [plan.memoryX, plan.swapTop + 26 + at * SWAP_PITCH, plan.memoryWidth, SWAP_HEIGHT];
    if (line.kind === "one") parts.push(...slotParts(plan, line.first, box));
    else if (line.numbers.some((slot) => slots.has(slot) || plan.changes.sign(swapKey(slot)))) parts.push(slotsPart(plan, line, box));
  });
  return {key: "swap", open: `<g role="group" aria-label="${escapeText(say("swap.group"))}" data-part="swap">`, parts};
}

function slotParts(plan, slot, box) {
  const fact = plan.moment.slots.get(slot);
  const key = swapKey(slot);
  const sign = plan.changes.sign(key);
  if (!fact && !sign) return [];
  plan.ends.set(key, {x: box[0], y: box[1] + SWAP_HEIGHT / 2, height: SWAP_HEIGHT, key});
  plan.things.set(key, {kind: "slot", slot});
  const number = say("swap.slot", {slot});
  const what = fact ? say("swap.holds", {data: fact.data}) : say("swap.free");
  const cached = fact && fact.pfn > 0 ? [say("swap.cached", {pfn: fact.pfn}), say("swap.cached-short", {pfn: fact.pfn})] : [];
  const base = box[1] + 15.5;
  const left = box[0] + 14;
  const right = box[0] + box[2] - 14;
  const start = left + textWidth(number, "strong") + 10;
  const shown = fitMiddle(what, right - start, "small");
  const more = firstThatFits(cached, right - start - textWidth(shown, "small") - 8, "small");
  const body = boxAt(...box, 6) + textAt(left, base, number, "strong") + textAt(start, base, shown, "small") + textAt(right, base, more, "small", "end")
    + (sign ? markAt(box[0] + box[2] - 1, box[1] + 3, sign) : "");
  const name = say("swap.name", {slot, free: fact ? "" : 1, pfn: fact ? fact.pfn : 0, n: fact ? fact.count : 0});
  const parts = [{key, html: optionHtml(plan, {key, look: fact ? "swap" : "gone", seen: [number, shown, more], more: name, body, box, sign})}];
  pushPart(parts, `j${key}`, judgedHtml(plan, key, box, "left"));
  return parts;
}

function slotsPart(plan, line, box) {
  const key = `r${swapKey(line.first)}`;
  const used = line.numbers.filter((slot) => plan.moment.slots.has(slot)).length;
  for (const slot of line.numbers) plan.ends.set(swapKey(slot), {x: box[0], y: box[1] + SWAP_HEIGHT / 2, height: SWAP_HEIGHT, key});
  const signs = new Set(line.numbers.map((slot) => plan.changes.sign(swapKey(slot))).filter(Boolean));
  const sign = signs.size > 1 ? "C" : [...signs][0] || "";
  const text = fitText(say("swap.more", {n: used}), box[2] - 28, "small");
  plan.things.set(key, {kind: "slots", numbers: line.numbers});
  const body = boxAt(...box, 6) + textAt(box[0] + 14, box[1] + 15.5, text, "small") + (sign ? markAt(box[0] + box[2] - 1, box[1] + 3, sign) : "");
  return {key, html: optionHtml(plan, {key, look: "swap", seen: [text], more: say("swap.more-name", {n: used}), body, box, sign})};
}

// ---- closed page tables -----------------------------------------------------------------------------

// One line for each closed table, one for all that have exited; what has no room is counted.
function closedGroup(plan) {
  const across = plan.closedAcross;
  const width = (plan.right - LEFT - (across - 1) * 8) / across;
  const lines = plan.hidden.map((mm) => closedLine(plan, mm));
  lines.sort((a, b) => Boolean(b.sign) - Boolean(a.sign) || a.at - b.at);
  if (plan.exited.length) lines.push(exitedLine(plan));
  const room = Math.max(1, Math.round(plan.closedRoom / LINE_HEIGHT)) * across;
  if (lines.length > room) {
    const rest = lines.splice(room - 1);
    lines.push({key: "mrest", look: "strip", letter: "", name: "", texts: [say("closed.more", {n: rest.length})], sign: "", more: say("closed.more", {n: rest.length})});
  }
  const parts = lines.map((line, at) => closedPart(plan, line, [LEFT + (at % across) * (width + 8), plan.closedTop + Math.floor(at / across) * LINE_HEIGHT, width, 24]));
  return {key: "closed", open: `<g role="group" aria-label="${escapeText(say("closed.group"))}">`, parts};
}

function closedLine(plan, mm) {
  const space = plan.moment.spaces.get(mm);
  const pfns = [...new Set([...space.entries.values()].filter((entry) => entry.present).map((entry) => entry.pfn))].sort((a, b) => a - b);
  const count = [...space.entries.values()].filter((entry) => entry.present).length;
  const changed = plan.changes.entries.some((one) => one.mm === mm && one.sign);
  const args = {n: count, frames: pfns.slice(0, 12).join(" ") + (pfns.length > 12 ? " …" : "")};
  const texts = count ? [say("closed.pages", args), say("closed.frames", args), say("closed.count", args), say("run.short", args)] : [say("closed.empty")];
  const sign = plan.changes.sign(spaceKey(mm)) || (changed ? "C" : "");
  return {key: spaceKey(mm), mm, at: mm, look: "strip", letter: plan.story.letter(mm), name: plan.story.nameOf(mm), texts, sign, more: say("closed.name")};
}

function exitedLine(plan) {
  const names = plan.exited.map((mm) => `${plan.story.letter(mm)} ${plan.story.nameOf(mm)}`);
  const sign = plan.exited.some((mm) => plan.changes.sign(spaceKey(mm)) === "G") ? "G" : "";
  const one = plan.exited.length === 1;
  return {key: spaceKey(plan.exited[plan.exited.length - 1]), at: Infinity, look: "dead", letter: one ? plan.story.letter(plan.exited[0]) : "",
    name: one ? plan.story.nameOf(plan.exited[0]) : "", sign,
    texts: one ? [say("picture.exited")] : [say("closed.exited", {names: names.join(", ")}), say("closed.exited-count", {n: names.length})],
    more: say("closed.exited-name", {n: names.length})};
}

function closedPart(plan, line, box) {
  const base = box[1] + 16.5;
  const right = box[0] + box[2] - (line.sign ? 30 : 10);
  let x = box[0] + 10;
  let html = boxAt(...box);
  if (line.letter) {
    html += `<text class="lt" x="${px(x)}" y="${px(base)}">${line.letter}</text> `;
    x += Math.max(20, textWidth(line.letter, "strong") + 8);
  }
  const name = line.name ? fitText(line.name, (right - x) * 0.55, "strong") : "";
  html += textAt(x, base, name, "strong");
  if (name) x += Math.max(54, textWidth(name, "strong") + 10);
  const text = firstThatFits(line.texts, right - x, "small") || fitText(line.texts[line.texts.length - 1], right - x, "small");
  html += textAt(x, base, text, "small") + (line.sign ? markAt(box[0] + box[2] - 14, box[1] + 12, line.sign) : "");
  if (line.mm) plan.things.set(line.key, {kind: "space", mm: line.mm});
  return {key: line.key, html: optionHtml(plan, {key: line.key, look: line.look, seen: [line.letter, name, text], more: line.more, body: html, box, sign: line.sign})};
}
