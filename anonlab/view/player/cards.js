// The question card: parts, Lock in, and the reveal in the same card.
//
// card     {name, title, ask, parts, note, chances, explain}; a part is {kind, text, …} (number, choice,
//          several, mark, order, text), with its truth where the browser may know it; for marks
//          the keys of the places. `shows` is the step that is shown with the reveal
// answers  one per part: number; option; [options]; [keys]; [items in order]; text; null: none
// verdict  {parts: [{right, given, truth, why}], again, nudge, said}
//
// makeCard(card, prefix, {judge, marks, markTruth, next, told, onLock, onClose}) returns
// {element, focus(), setMarks(count), setSaid(text)}. `marks()` gives the keys that are marked on
// the stage, `markTruth()` those that change. Without them a part "mark" is for the host to judge.

function makeCard(card, prefix, host = {}) {
  return new Card(card, prefix, host);
}

class Card {
  constructor(card, prefix, host) {
    Object.assign(this, { card, prefix, host, tries: 0, first: null });
    this.element = node("form", { class: "al-card", novalidate: true, "data-question": card.name ?? "", "aria-labelledby": `${prefix}q` });
    this.title = node("h2", { tabindex: "-1", id: `${prefix}q` }, card.title || say("card.title"));
    this.told = node("p", { class: "al-form", role: "alert" });
    this.parts = card.parts.map((part, number) => new PARTS[part.kind](part, number, this));
    const lock = node("button", { type: "submit", class: "al-go", "data-do": "lock" }, say("card.lock"));
    const acts = node("div", { class: "al-acts" }, this.told, lock, control("dunno", say("card.dunno")));
    const note = node("p", { class: "al-small" }, card.note || say("card.first"));
    const next = host.next ? node("p", { class: "al-next1" }) : null;
    if (next) next.innerHTML = host.next;
    this.element.append(this.title, ...(next ? [next] : []), ...(card.ask ? [node("p", { class: "al-ask" }, card.ask)] : []), ...this.parts.map((part) => part.element), acts, note);
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.lock();
    });
    this.element.addEventListener("click", (event) => this.click(event));
  }

  focus() {
    this.title.focus({ preventScroll: true });
  }

  // Tell how many places are marked on the stage.
  setMarks(count) {
    for (const part of this.parts) if (part.count) part.count(count);
  }

  click(event) {
    const button = event.target.closest("[data-do]");
    if (!button) return;
    if (button.dataset.do === "dunno") this.judge(this.card.parts.map(() => null), true);
    if (button.dataset.do === "close" && this.host.onClose) this.host.onClose();
  }

  // Check the form, then have it judged: what is missing or cannot be read is said, nothing is lost.
  lock() {
    const wrong = this.parts.filter((part) => part.wrong());
    this.told.textContent = wrong.map((part) => part.wrong()).join(" ");
    for (const part of wrong) part.asked = true; // who chooses nothing is asked once whether it is meant
    if (wrong.length) return wrong[0].focus();
    return this.judge(this.parts.map((part) => part.answer()), false);
  }

  async judge(answers, gaveUp) {
    if (this.busy) return;
    this.busy = true;
    this.tries += 1;
    this.first ??= answers;
    const last = gaveUp || this.tries >= (this.card.chances || 1);
    let verdict;
    try {
      verdict = judgeHere(this.card, answers, this.host, last) || (await this.host.judge(this.card, answers));
    } catch (error) {
      this.tries -= 1;
      this.told.textContent = say("card.failed", { error: error.message || String(error) });
      return;
    } finally {
      this.busy = false;
    }
    if (verdict.again && !gaveUp) return this.again(verdict);
    this.reveal(verdict, answers, gaveUp);
    if (this.host.onLock) this.host.onLock(this.first, verdict, { answers, gaveUp });
  }

  // The second chance: which parts are wrong, and a nudge, but not the truth.
  again(verdict) {
    verdict.parts.forEach((judged, number) => {
      if (this.parts[number]) attribute(this.parts[number].element, "data-right", judged.right === null ? null : String(judged.right));
    });
    this.told.textContent = `${verdict.nudge || say("card.nudge")} ${say("card.again")}`;
    const wrong = verdict.parts.findIndex((judged) => judged.right === false);
    (this.parts[wrong] || this.parts[0]).focus();
  }

  // Show what was said beside what is true, in this card.
  reveal(verdict, answers, gaveUp) {
    this.title.textContent = gaveUp ? say("card.happened") : say("card.yours");
    this.element.removeAttribute("data-question");
    this.element.dataset.reveal = this.card.name ?? "";
    const parts = this.card.parts.map((part, number) => revealed(part, verdict.parts[number] || {}, this.tries > 1 ? this.given(part, number) : null));
    const sentence = this.card.explain || (this.host.told ? this.host.told() : "");
    const told = sentence ? [node("p", { class: "al-told" }, sentence)] : [];
    this.saidLine = node("p", { class: "al-small", role: "status" }, verdict.said || "");
    const go = control("close", say("card.close"), { class: "al-go" });
    this.element.replaceChildren(this.title, ...parts, ...told, ...(this.host.onClose ? [node("div", { class: "al-acts" }, go)] : []), this.saidLine);
    this.focus();
  }

  // What the first answer to a part was, in words.
  given(part, number) {
    return PARTS[part.kind].words(part, this.first[number]);
  }

  // Say where the answer is kept.
  setSaid(text) {
    if (this.saidLine) put(this.saidLine, text);
  }
}

// One part after the lock: the question, "you" and "it was", and why.
function revealed(part, judged, first) {
  const set = node("div", { class: "al-part", role: "group", "aria-label": part.text });
  set.append(node("h3", {}, part.text));
  if (part.kind === "mark" && judged.counts) {
    const { hit, missed, extra } = judged.counts;
    const word = (how, n) => `<span class="al-${how}">${JUDGED[how]} ${safe(say(`card.${how}`, { n }))}</span>`;
    const line = node("p", { class: "al-marked" });
    line.innerHTML = [word("hit", hit), word("missed", missed), word("extra", extra)].join(", ");
    set.append(line);
  } else {
    const how = judged.right === true ? "hit" : judged.right === false ? "extra" : "missed";
    const given = judged.given === null || judged.given === undefined || judged.given === "" ? say("card.none") : judged.given;
    const rows = [[say("card.you"), `${judged.right === null || judged.right === undefined ? "" : `${JUDGED[how]} `}${given}`, judged.right === null ? "" : `al-${how}`]];
    if (judged.truth && judged.right !== true) rows.push([say("card.was"), judged.truth, "al-truth"]); // else it is not known yet, the same, or said below
    if (first !== null && first !== given) rows.unshift([say("card.firstly"), first || say("card.none"), ""]);
    set.append(node("dl", {}, ...rows.flatMap(([name, text, look]) => [node("dt", {}, name), node("dd", { class: look }, text)])));
  }
  if (judged.why) set.append(node("p", { class: "al-why" }, judged.why));
  return set;
}

// Judge answers whose truths are all here; null if the host has to.
function judgeHere(card, answers, host, last) {
  const parts = card.parts.map((part, number) => judgePart(part, answers[number], host));
  if (parts.includes(null)) return null;
  const again = !last && parts.some((part) => part.right === false);
  const bad = again ? parts.find((part) => part.right === false) : null;
  return { parts, again, nudge: bad ? bad.why : "", said: "" };
}

function judgePart(part, answer, host) {
  const whyOf = (right) => (part.why ? part.why[Array.isArray(answer) ? answer.join(",") : answer] || (right ? "" : part.why.else) || "" : "");
  if (part.kind === "mark") {
    const truth = part.truth || (host.markTruth && host.markTruth());
    const judged = truth ? judgeMarks(answer, truth) : null;
    return judged && { ...judged, why: whyOf(judged.right) };
  }
  if (part.truth === undefined) return null;
  const kind = PARTS[part.kind];
  const right = answer === null ? null : kind.same(answer, part.truth);
  const why = whyOf(right);
  return { right, given: answer === null ? null : kind.words(part, answer), truth: kind.words(part, part.truth), why };
}

// Compare the places that were marked with those that changed.
function judgeMarks(answer, truth) {
  const said = new Set(answer || []);
  const places = {};
  for (const key of truth) places[key] = said.has(key) ? "hit" : "missed";
  for (const key of said) places[key] ??= "extra";
  const counts = { hit: 0, missed: 0, extra: 0 };
  for (const how of Object.values(places)) counts[how] += 1;
  return { right: answer === null ? null : counts.missed + counts.extra === 0, given: answer === null ? null : say("card.places", { n: said.size }), truth: say("card.places", { n: truth.length }), why: "", places, counts };
}
