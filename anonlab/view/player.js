// The player of anonlab: one module, no dependency, for JupyterLab and for the exported page.
// `frames` holds every place once, every state once, and per step which cells change.
const KINDS = ["pte", "frame", "slot", "node", "vma"];
const VERDICTS = {
  hit: ["right", "M-4 0l3 3.4L4.4-3.6"],
  missed: ["missed", "M-3.4 0a3.4 3.4 0 1 0 6.8 0a3.4 3.4 0 1 0-6.8 0"],
  extra: ["too many", "M-3.2-3.2l6.4 6.4M3.2-3.2l-6.4 6.4"],
};
const PAUSE = 1800;
let views = 0;

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const part = (name, tag = "p", more = {}) =>
  make(tag, { "data-part": name, class: `al-${name}`, ...more });

// ---- the picture ------------------------------------------------------------------------

// Return the states of all cells at step `at`: from the last full step on.
function statesAt(data, at) {
  let from = at;
  while (!data.steps[from].full) from -= 1;
  const states = data.steps[from].full.slice();
  for (let step = from + 1; step <= at; step += 1) {
    const delta = data.steps[step].delta;
    for (let k = 0; k < delta.length; k += 2) states[delta[k]] = delta[k + 1];
  }
  return states;
}

// The only markup that is inserted as such is `panel.svg`: numbers and words of our own, no labels.
function buildPicture(data, prefix) {
  const zones = { spaces: make("div", { class: "al-zone spaces" }), memory: make("div", { class: "al-zone memory" }) };
  const cells = [];
  for (const panel of data.panels) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const pad = 6;
    svg.setAttribute("viewBox", `${-pad} ${-pad} ${panel.width + 2 * pad} ${panel.height + 2 * pad}`);
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", panel.caption);
    svg.style.width = "100%";
    svg.style.minWidth = `${Math.round(panel.width * 0.8)}px`;
    svg.innerHTML = panel.svg;
    svg.style.maxWidth = `min(100%, ${Math.round(panel.width * 1.25)}px)`;
    zones[panel.zone].append(make("div", { class: "al-panel", "data-panel": panel.id }, svg));
    for (const g of svg.querySelectorAll("[data-cell]")) {
      const number = Number(g.dataset.cell);
      g.id = prefix + data.cells[number];
      cells[number] = {
        g,
        id: data.cells[number],
        kind: g.classList[1],
        title: g.querySelector("title"),
        icon: g.querySelector(".i"),
        mark: g.querySelector(".m"),
        texts: [...g.querySelectorAll("text")],
        state: -1,
        sign: "",
      };
    }
  }
  const element = make("div", { class: "anonlab-picture", "data-part": "picture", role: "group", "aria-label": "picture" }, zones.spaces, zones.memory);
  return { element, cells };
}

function attribute(element, name, value) {
  if (value) element.setAttribute(name, value);
  else element.removeAttribute(name);
}

function showState(data, cell, number, sign) {
  const [look, texts, icon, name, facts, links] = data.states[number];
  const mark = sign ? ` ch ${data.marks[sign][0]}` : "";
  cell.g.setAttribute("class", `c ${cell.kind} ${look}${mark}`);
  if (cell.sign !== sign) attribute(cell.mark, "d", sign && data.marks[sign][1]);
  cell.sign = sign;
  if (cell.kind === "head") cell.g.closest(".al-panel").classList.toggle("absent", look === "void");
  if (cell.state === number) return;
  cell.state = number;
  cell.title.textContent = name;
  cell.texts.forEach((text, at) => (text.textContent = texts[at] || ""));
  if (cell.icon) attribute(cell.icon, "d", icon);
  attribute(cell.g, "data-facts", facts.length ? JSON.stringify(facts) : "");
  attribute(cell.g, "data-links", links);
}

function paint(data, cells, at) {
  const signs = new Map();
  const marks = data.steps[at].marks;
  for (let k = 0; k < marks.length; k += 2) signs.set(marks[k], marks[k + 1]);
  statesAt(data, at).forEach((state, number) => {
    const cell = cells[number];
    const sign = signs.get(number) || "";
    if (cell.state !== state || cell.sign !== sign) showState(data, cell, state, sign);
  });
}

const twin = (data, at) => data.steps[at].lines.map((number) => data.lines[number]).join("\n");
const named = (data, at) => `step ${at} of ${data.steps.length - 1}`;

// The strip for paper: every step with its picture and its text.
function strip(data, root) {
  root.replaceChildren();
  root.className = "anonlab-player al-strip";
  data.steps.forEach((step, at) => {
    const { element, cells } = buildPicture(data, `strip${at}-`);
    paint(data, cells, at);
    const head = make("h2", {}, `${named(data, at)}: ${step.title}`);
    root.append(make("section", {}, head, make("p", {}, step.sentence), element, make("pre", {}, twin(data, at))));
  });
}

// ---- the player -------------------------------------------------------------------------

function render({ model, el }) {
  const data = model.get("frames");
  const last = data.steps.length - 1;
  const prefix = `al${(views += 1)}-`;
  const results = new Map();
  let guess = null; // { step, cells: Set of numbers, marking, at }
  let timer = 0;
  let asText = false;

  const picture = buildPicture(data, prefix);
  const { cells } = picture;
  const text = part("text", "pre", { tabindex: "0", id: `${prefix}text`, "aria-label": "the picture as text" });
  const live = part("live", "div", { "aria-live": "polite", "aria-atomic": "true" });
  const label = part("label");
  const sentence = part("sentence");
  const hint = part("hint");
  live.append(label, sentence, " ", hint);
  const command = part("command");
  const source = part("source");
  const count = part("count");
  const list = make("ul", { tabindex: "0", "aria-label": "what changed" });
  const changes = part("changes", "div");
  changes.append(make("p", { class: "al-small" }, "What changed"), list);
  const verdict = part("guess", "div");
  const range = make("input", { type: "range", min: "0", max: String(last), "aria-label": "step", "data-part": "range" });
  const button = (does, words, pressed) =>
    make("button", { type: "button", "data-do": does, ...(pressed ? { "aria-pressed": "false" } : {}) }, words);
  const buttons = {
    first: button("first", "⇤ First"),
    previous: button("previous", "← Previous"),
    play: button("play", "▶ Play", true),
    next: button("next", "Next →"),
    last: button("last", "Last ⇥"),
    predict: button("predict", "Predict", true),
    text: button("text", "Text", true),
  };
  const moves = make("div", { class: "al-moves" }, ...["first", "previous", "play", "next", "last"].map((name) => buttons[name]));
  const modes = make("div", { class: "al-modes" }, buttons.predict, buttons.text);
  const title = part("title");
  title.textContent = data.title;
  const top = make("div", { class: "al-top" }, title, count);
  const story = make("div", { class: "al-story" }, command, live, source);
  const head = make("div", { class: "al-head" }, story, changes);
  const bar = make("div", { class: "al-bar", role: "group", "aria-label": "steps" }, moves, range, modes);
  const note = part("note");
  note.textContent = data.note;
  const stage = make("div", { class: "al-stage" }, picture.element, text);
  picture.element.setAttribute("aria-describedby", `${prefix}text`);
  const root = make(
    "div",
    { class: "anonlab-player", role: "group", "aria-label": `player: ${data.title}`, tabindex: "0", "data-lm-suppress-shortcuts": "true" },
    top, head, bar, verdict, ...(data.note ? [note] : []), stage,
  );
  el.append(root);

  // ---- stepping

  const here = () => Math.max(0, Math.min(last, model.get("step")));

  function go(step) {
    if (step < 0 || step > last) {
      say(step < 0 ? "This is the first step." : "This is the last step.");
      stop();
      return;
    }
    if (step === here()) return;
    model.set("step", step);
    model.save_changes();
  }

  function say(words) {
    hint.textContent = words;
  }

  function play() {
    if (timer) return stop();
    if (here() === last) return say("This is the last step.");
    timer = setInterval(() => (here() === last ? stop() : go(here() + 1)), PAUSE);
    buttons.play.textContent = "❚❚ Pause";
    buttons.play.setAttribute("aria-pressed", "true");
    go(here() + 1);
  }

  function stop() {
    clearInterval(timer);
    timer = 0;
    buttons.play.textContent = "▶ Play";
    buttons.play.setAttribute("aria-pressed", "false");
  }

  function show() {
    const at = here();
    const step = data.steps[at];
    if (guess && guess.step === at) judge(at);
    if (guess) {
      leave(false);
      for (const { cell } of guess.grid) cell.g.classList.remove("guessed");
    }
    guess = null;
    paint(data, cells, at);
    root.dataset.step = String(at);
    count.textContent = named(data, at);
    label.textContent = step.title;
    sentence.textContent = step.error ? `${step.sentence} It failed: ${step.error}` : step.sentence;
    say(data.predict.includes(at + 1) && !results.has(at + 1) ? "What will change next? Press P, mark it, then go on." : "");
    command.textContent = step.text;
    source.textContent = step.source ? `Stands for: ${step.source}` : "";
    text.textContent = twin(data, at);
    list.replaceChildren(
      ...step.changes.map(([sign, words]) => make("li", { "data-sign": sign }, make("b", {}, sign || "…"), ` ${words}`)),
    );
    if (!step.changes.length) list.append(make("li", { "data-sign": "" }, at ? "nothing that the picture shows" : "this is where it starts"));
    range.value = String(at);
    range.setAttribute("aria-valuetext", `${named(data, at)}: ${step.title}`);
    buttons.first.setAttribute("aria-disabled", String(at === 0));
    buttons.previous.setAttribute("aria-disabled", String(at === 0));
    buttons.next.setAttribute("aria-disabled", String(at === last));
    buttons.last.setAttribute("aria-disabled", String(at === last));
    showVerdict(at);
    light("");
  }

  function toggleText(on = !asText) {
    asText = on;
    root.classList.toggle("as-text", on);
    picture.element.hidden = on;
    buttons.text.setAttribute("aria-pressed", String(on));
    buttons.text.textContent = on ? "Picture" : "Text";
  }

  // ---- prediction: mark what the next step will change

  function candidates() {
    const now = statesAt(data, here());
    const next = statesAt(data, here() + 1);
    const seen = (number, states) => data.states[states[number]][0] !== "off";
    return cells
      .map((cell, number) => ({ cell, number, name: data.states[now[number]][3] || short(data.states[next[number]][3]) }))
      .filter(({ cell, number }) => KINDS.includes(cell.kind) && !cell.id.startsWith("legend") && (seen(number, now) || seen(number, next)));
  }

  const short = (name) => name.split(", ").slice(0, 2).join(", ");

  function mark() {
    if (guess && guess.marking) return leave(true);
    if (here() === last) return say("This is the last step: nothing to predict.");
    stop();
    toggleText(false);
    if (!guess) guess = { step: here() + 1, cells: new Set(), at: 0 };
    guess.marking = true;
    guess.grid = candidates();
    root.classList.add("marking");
    buttons.predict.setAttribute("aria-pressed", "true");
    picture.element.setAttribute("role", "grid");
    picture.element.setAttribute("aria-multiselectable", "true");
    for (const svg of picture.element.querySelectorAll("svg")) svg.setAttribute("role", "row");
    for (const { cell, number, name } of guess.grid) {
      cell.g.classList.add("able");
      cell.g.setAttribute("role", "gridcell");
      cell.g.setAttribute("tabindex", "-1");
      cell.g.setAttribute("aria-label", name || "a place that is still empty");
      cell.g.setAttribute("aria-selected", String(guess.cells.has(number)));
      cell.g.classList.toggle("guessed", guess.cells.has(number));
    }
    rove(Math.min(guess.at, guess.grid.length - 1));
    tellGuess();
  }

  function leave(keep) {
    if (!guess || !guess.marking) return;
    const inside = picture.element.contains(document.activeElement);
    guess.marking = false;
    root.classList.remove("marking");
    buttons.predict.setAttribute("aria-pressed", "false");
    picture.element.setAttribute("role", "group");
    picture.element.removeAttribute("aria-multiselectable");
    for (const svg of picture.element.querySelectorAll("svg")) svg.setAttribute("role", "img");
    for (const { cell } of guess.grid) {
      cell.g.classList.remove("able", ...(keep ? [] : ["guessed"]));
      for (const name of ["role", "tabindex", "aria-label", "aria-selected"]) cell.g.removeAttribute(name);
    }
    if (keep) {
      if (inside) root.focus();
      tellGuess();
    }
  }

  function rove(at) {
    if (at < 0) return;
    guess.grid[guess.at]?.cell.g.setAttribute("tabindex", "-1");
    guess.at = at;
    const { g } = guess.grid[at].cell;
    g.setAttribute("tabindex", "0");
    g.focus();
  }

  function nearest(key) {
    const box = (at) => guess.grid[at].cell.g.getBoundingClientRect();
    const middle = (rect) => [rect.left + rect.width / 2, rect.top + rect.height / 2];
    const [x, y] = middle(box(guess.at));
    const axis = key === "ArrowLeft" || key === "ArrowRight" ? 0 : 1;
    const sign = key === "ArrowRight" || key === "ArrowDown" ? 1 : -1;
    let best = guess.at;
    let least = Infinity;
    guess.grid.forEach((_, at) => {
      const centre = middle(box(at));
      const along = sign * (axis ? centre[1] - y : centre[0] - x);
      const across = Math.abs(axis ? centre[0] - x : centre[1] - y);
      if (along > 2 && along + 3 * across < least) [best, least] = [at, along + 3 * across];
    });
    return best;
  }

  function toggle(at) {
    const { cell, number } = guess.grid[at];
    if (!guess.cells.delete(number)) guess.cells.add(number);
    cell.g.setAttribute("aria-selected", String(guess.cells.has(number)));
    cell.g.classList.toggle("guessed", guess.cells.has(number));
    tellGuess();
  }

  function tellGuess() {
    const many = guess.cells.size;
    const told = `${many} ${many === 1 ? "place" : "places"} marked.`;
    verdict.textContent = guess.marking
      ? `What will the next step change? Arrow keys move, Space marks, Esc ends marking. ${told}`
      : `${told} Go to the next step to see who is right.`;
    model.set("prediction", { step: guess.step, marked: [...guess.cells].map((number) => cells[number].id) });
    model.save_changes();
  }

  function judge(at) {
    const marks = data.steps[at].marks;
    const actual = new Set();
    for (let k = 0; k < marks.length; k += 2) if (KINDS.includes(cells[marks[k]].kind)) actual.add(marks[k]);
    const result = {
      hit: [...guess.cells].filter((number) => actual.has(number)),
      missed: [...actual].filter((number) => !guess.cells.has(number)),
      extra: [...guess.cells].filter((number) => !actual.has(number)),
    };
    results.set(at, result);
    const ids = (numbers) => numbers.map((number) => cells[number].id);
    model.set("prediction", { step: at, marked: ids([...guess.cells]), right: ids(result.hit), missed: ids(result.missed), extra: ids(result.extra) });
    model.save_changes();
  }

  function showVerdict(at) {
    for (const old of picture.element.querySelectorAll(".q")) old.remove();
    const result = results.get(at);
    verdict.replaceChildren();
    if (!result) return;
    const after = statesAt(data, at);
    const name = (number) => data.states[after[number]][3] || `${cells[number].id}, gone`;
    verdict.append(make("p", {}, `Your prediction: ${result.hit.length} right, ${result.missed.length} missed, ${result.extra.length} too many.`));
    for (const [kind, numbers] of Object.entries(result)) {
      const [word, sign] = VERDICTS[kind];
      for (const number of numbers) badge(cells[number], kind, sign);
      if (!numbers.length) continue;
      const more = numbers.length > 6 ? `; and ${numbers.length - 6} more` : "";
      verdict.append(make("p", { class: `al-${kind}` }, `${word}: ${numbers.slice(0, 6).map(name).join("; ")}${more}`));
    }
  }

  function badge(cell, kind, sign) {
    const q = document.createElementNS("http://www.w3.org/2000/svg", "path");
    const box = cell.g.querySelector("rect");
    q.setAttribute("class", `q ${kind}`);
    q.setAttribute("d", `M-7 0a7 7 0 1 0 14 0a7 7 0 1 0-14 0${sign}`);
    q.setAttribute("transform", `translate(${Number(box.getAttribute("width")) - 3} ${Number(box.getAttribute("height")) - 3})`);
    cell.g.append(q);
  }

  // ---- what belongs together lights up

  function light(links) {
    const lit = new Set(links.split(" ").filter(Boolean));
    for (const { g, id } of cells) {
      const mine = (g.getAttribute("data-links") || "").split(" ");
      g.classList.toggle("lit", lit.size > 0 && (lit.has(id) || mine.some((link) => lit.has(link))));
    }
  }

  const linksOf = (target) => target.closest?.("[data-links]")?.getAttribute("data-links") || "";
  const over = (event) => light(linksOf(event.target));
  const out = () => light("");

  // ---- listeners

  const acts = {
    first: () => (here() ? go(0) : go(-1)),
    previous: () => go(here() - 1),
    play,
    next: () => go(here() + 1),
    last: () => (here() < last ? go(last) : go(last + 1)),
    predict: mark,
    text: () => toggleText(),
  };

  function click(event) {
    const does = event.target.closest("[data-do]")?.dataset.do;
    if (does) {
      if (does !== "play") stop();
      return acts[does]();
    }
    if (!guess?.marking) return;
    const g = event.target.closest(".able");
    const at = guess.grid.findIndex(({ cell }) => cell.g === g);
    if (at >= 0) {
      rove(at);
      toggle(at);
    }
  }

  function escape() {
    if (guess?.marking) return leave(true);
    const all = [...document.querySelectorAll('a[href],button,input,select,textarea,[tabindex="0"]')];
    const next = all.find((one) => !root.contains(one) && root.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING);
    if (next) next.focus();
    else document.activeElement.blur();
  }

  const keys = {
    ArrowLeft: acts.previous, ArrowRight: acts.next, Home: acts.first, End: acts.last,
    p: mark, P: mark, t: acts.text, T: acts.text, Escape: escape,
  };

  function keydown(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const { key, target } = event;
    const inRange = target === range && /^(Arrow|Home|End|Page)/.test(key);
    if (inRange) return;
    if (guess?.marking && target.classList.contains("able")) {
      if (key === " " || key === "Enter") return take(event, () => toggle(guess.at));
      if (key.startsWith("Arrow")) return take(event, () => rove(nearest(key)));
      if (key === "Home") return take(event, () => rove(0));
      if (key === "End") return take(event, () => rove(guess.grid.length - 1));
    }
    if (key === " " && target === root) return take(event, play);
    if (keys[key]) take(event, () => { if (key !== "t" && key !== "T") stop(); keys[key](); });
  }

  function take(event, does) {
    event.preventDefault();
    does();
  }

  const slide = () => { stop(); go(Number(range.value)); };
  const focused = (event) => light(linksOf(event.target));
  root.addEventListener("click", click);
  root.addEventListener("keydown", keydown);
  range.addEventListener("input", slide);
  picture.element.addEventListener("pointerover", over);
  picture.element.addEventListener("pointerleave", out);
  picture.element.addEventListener("focusin", focused);
  model.on("change:step", show);
  show();

  return () => {
    stop();
    model.off("change:step", show);
    root.remove();
  };
}

export default { render };
