// The player itself: stepping, choosing, walks, predictions; the picture is in picture.js.
function render({ model, el }) {
  let undo = build({ model, el });
  const again = () => {
    const inside = el.contains(document.activeElement);
    undo();
    undo = build({ model, el });
    if (inside) el.querySelector(".anonlab-player").focus();
  };
  model.on("change:frames", again);
  return () => {
    model.off("change:frames", again);
    undo();
  };
}

function build({ model, el }) {
  const data = model.get("frames");
  const last = data.steps.length - 1;
  const prefix = `al${(views += 1)}-`;
  const several = data.lanes.length > 1;
  const results = new Map(Object.entries(model.get("predictions") || {}).map(([step, kept]) => [Number(step), kept]));
  let guess = null; // { step, cells: Set of numbers, marking, grid }
  let chosen = null; // number of a cell
  let probed = 0; // probes of the walk that have been played
  let timer = 0;
  let asText = false;
  let roving = null;

  const picture = buildPicture(data, prefix);
  const { cells, lanes } = picture;
  const byId = new Map(cells.map((cell) => [cell.id, cell]));
  const splits = lanes.map((_, lane) => cells.filter((cell) => cell.lane === lane && cell.own.startsWith("address")));
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
  const changes = part("changes", "div", {}, make("p", { class: "al-small" }, "What changed"), list);
  const verdict = part("guess", "div");
  const range = make("input", { type: "range", min: "0", max: String(last), "aria-label": "step", "data-part": "range" });
  const buttons = {
    first: button("first", "⇤ First"), previous: button("previous", "← Previous"), play: button("play", "▶ Play", true),
    next: button("next", "Next →"), last: button("last", "Last ⇥"), predict: button("predict", "Predict", true), text: button("text", "Text", true),
  };
  const moves = make("div", { class: "al-moves" }, ...["first", "previous", "play", "next", "last"].map((name) => buttons[name]));
  const modes = make("div", { class: "al-modes" }, buttons.predict, buttons.text);
  const title = part("title");
  title.textContent = data.title;
  const top = make("div", { class: "al-top" }, title, count);
  const story = make("div", { class: "al-story" }, command, live, source);
  const bar = make("div", { class: "al-bar", role: "group", "aria-label": "steps" }, moves, range, modes);
  const charts = data.costs.map((one) => chart(data, one));
  const costs = part("costs", "div", { role: "img" }, ...charts.map((one) => one.root));
  const note = part("note", "div");
  const help = make("details", { class: "al-keys" }, make("summary", {}, "Keys"),
    make("dl", {}, ...data.keys.flatMap(([key, does]) => [make("dt", {}, key), make("dd", {}, does)])));
  picture.element.setAttribute("aria-describedby", `${prefix}text`);
  const root = make(
    "div",
    { class: `anonlab-player${several ? " several" : ""}`, role: "group", "aria-label": `player: ${data.title}`, tabindex: "0", "data-lm-suppress-shortcuts": "true", style: `--lanes:${data.lanes.length}` },
    top, make("div", { class: "al-head" }, story, changes), bar, ...(charts.length ? [costs] : []), verdict, note,
    make("div", { class: "al-stage" }, picture.element, text), help,
  );
  el.append(root);

  // ---- stepping

  const here = () => Math.max(0, Math.min(last, model.get("step")));
  const parts = data.parts || { list: [] };
  const place = parts.list.findIndex(([id]) => id === parts.here);

  function turn(id, step = 0) {
    stop();
    model.set("step", 0);
    say("Waiting for Python to draw it …");
    model.set("wanted", [id, step, Date.now()]); // the same wish again is another one
    model.save_changes();
  }

  function go(step) {
    if (step < 0 || step > last) {
      const other = place >= 0 && parts.list[place + (step < 0 ? -1 : 1)];
      if (other && timer === 0) return turn(other[0], step < 0 ? -1 : 0);
      say(step < 0 ? "This is the first step." : "This is the last step.");
      stop();
      return;
    }
    if (step === here()) return;
    model.set("step", step);
    model.save_changes();
  }

  function say(told) {
    hint.textContent = told;
  }

  const asks = (at) => data.predict.includes(at) && !results.has(data.kept[at]);

  function play() {
    if (timer) return stop();
    if (here() === last) return say("This is the last step.");
    timer = setInterval(() => {
      if (here() === last || asks(here() + 1)) stop();
      else go(here() + 1);
    }, PAUSE);
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
    if (guess) {
      if (guess.step === at) judge(at);
      leave(false);
      for (const { cell } of guess.grid) cell.g.classList.remove("guessed");
    }
    guess = null;
    paint(data, cells, at);
    lanes.forEach(fold);
    root.dataset.step = String(at);
    count.textContent = named(data, at) + (place >= 0 ? `, part ${place + 1} of ${parts.list.length}` : "");
    label.textContent = step.title;
    sentence.textContent = step.error ? `${step.sentence} It failed: ${step.error}` : step.sentence;
    say(asks(at + 1) ? "What will change next? Press P, mark it, then go on." : "");
    command.textContent = step.text;
    source.textContent = step.source ? `Stands for: ${step.source}` : "";
    showChanges(at, step);
    lanes.forEach((lane, number) => {
      if (lane.said) lane.said.textContent = (step.lanes || [])[number] || "";
    });
    charts.forEach((one) => one.show(at));
    costs.setAttribute("aria-label", `cost so far: ${data.costs.map(([name, rows]) => `${name} ${rows.map((row) => row[at]).join(", ")}`).join("; ")}`);
    range.value = String(at);
    range.setAttribute("aria-valuetext", `${named(data, at)}: ${step.title}`);
    for (const [name, off] of [["first", !at], ["previous", !at && place < 1], ["next", at === last && !parts.list[place + 1]], ["last", at === last]]) {
      buttons[name].setAttribute("aria-disabled", String(off));
    }
    probed = 0;
    showVerdict(at);
    showCards();
    rove();
  }

  function showChanges(at, step) {
    const more = step.more ? [make("li", { "data-sign": "" }, button("more", "Show its sub-steps"))] : [];
    const empty = at ? "nothing that the picture shows" : "this is where it starts";
    const told = step.changes.map(([sign, said, lane]) =>
      make("li", { "data-sign": sign }, make("b", {}, sign || "…"), several ? ` ${data.lanes[lane]}: ${said}` : ` ${said}`));
    list.replaceChildren(...more, ...(told.length ? told : [make("li", { "data-sign": "" }, empty)]));
  }

  function showNote() {
    note.replaceChildren(...(data.note ? [make("p", {}, data.note)] : []));
    if (parts.back !== undefined) note.append(button("back", "← Back to the operations"));
    if (parts.list.length < 2) return;
    const choice = make("select", { "aria-label": "part of the trace" },
      ...parts.list.map(([id, told], at) => make("option", { value: id, ...(at === place ? { selected: "" } : {}) }, told)));
    choice.addEventListener("change", () => turn(choice.value));
    note.append(make("label", {}, "Part ", choice));
  }

  function toggleText(on = !asText) {
    asText = on;
    root.classList.toggle("as-text", on);
    picture.element.hidden = on;
    buttons.text.setAttribute("aria-pressed", String(on));
    buttons.text.textContent = on ? "Picture" : "Text";
  }

  // ---- one thing, everywhere: choosing lights up what is the same and what has to do with it

  const sides = (cell) => ((cell && data.states[cell.state][5]) || "|").split("|").map(words);

  function light(number) {
    const origin = number === null ? null : cells[number];
    const told = lanes.map((_, lane) => {
      const twinCell = origin && (origin.lane === lane ? origin : sibling(origin, lane));
      const [same, near] = sides(twinCell);
      const all = new Set(same);
      const far = new Set(near);
      for (const cell of cells) {
        if (cell.lane !== lane || !same.length) continue;
        const [mine, beside] = sides(cell);
        if (mine.some((tag) => all.has(tag))) for (const tag of beside) far.add(tag);
      }
      return { number: twinCell ? twinCell.number : -1, same: all, near: far };
    });
    for (const cell of cells) {
      const { number: own, same, near } = told[cell.lane];
      const [mine, beside] = same.size || near.size ? sides(cell) : [[], []];
      const lit = cell.number === own || mine.some((tag) => same.has(tag));
      cell.g.classList.toggle("lit", lit);
      cell.g.classList.toggle("near", !lit && (mine.some((tag) => near.has(tag)) || beside.some((tag) => same.has(tag))));
    }
  }

  const sibling = (cell, lane) => byId.get(`d${lane}-${cell.own}`);

  function choose(number) {
    if (chosen !== null) cells[chosen].g.setAttribute("aria-selected", "false");
    chosen = number === chosen ? null : number;
    probed = 0;
    if (chosen !== null) cells[chosen].g.setAttribute("aria-selected", "true");
    root.dataset.chosen = chosen === null ? "" : cells[chosen].id;
    model.set("chosen", root.dataset.chosen);
    model.save_changes();
    showCards();
  }

  function nextChange(way) {
    if (chosen === null) return say("Choose a thing in the picture first.");
    const touches = (at) => data.steps[at].marks.some((mark, k) => k % 2 === 0 && mark === chosen);
    for (let at = here() + way; at >= 0 && at <= last; at += way) if (touches(at)) return go(at);
    say(`${way > 0 ? "No later" : "No earlier"} step changes it.`);
  }

  // ---- the card of the chosen thing: who maps it, by brute force and by the reverse map

  function facts(lane) {
    return cells.filter((cell) => cell.lane === lane && cell.state >= 0).flatMap((cell) => unpack(data.states[cell.state][4]));
  }

  function pageOf(cell) {
    const told = cell ? unpack(data.states[cell.state][4]) : [];
    const fact = told.find(([kind, , , what]) => kind === "frame" || (kind === "pte" && what === "frame"));
    return fact ? (fact[0] === "frame" ? fact[1] : fact[4]) : "";
  }

  function showCards() {
    for (const old of picture.element.querySelectorAll(".q.probe")) old.remove();
    light(chosen);
    const split = lanes.map((lane, number) => {
      const cell = chosen === null ? null : cells[chosen].lane === number ? cells[chosen] : sibling(cells[chosen], number);
      const told = cell ? facts(number) : [];
      showCard(lane, number, cell, told);
      return showAddress(number, cell, told);
    });
    text.textContent = [twin(data, here()), ...split.filter(Boolean)].join("\n");
  }

  // ---- the address of the chosen thing, bit by bit; returned as text

  function showAddress(number, cell, told) {
    const [mm, address] = placeOf(cell, told);
    const way = mm && wayOf(data.fields, told, mm, address);
    const said = way ? sentencesOf(data.fields, way) : [];
    const who = way && told.find(([kind, own]) => kind === "mm" && own === mm).slice(4).join(" and ");
    const title = way && `${address} of ${who || `mm ${mm}`}`;
    const states = way ? addressStates(data.fields, way, said, title) : {};
    if (!way && !splits[number].way) return "";
    splits[number].way = way;
    for (const each of splits[number]) {
      const [look, texts, name] = states[each.own] || [];
      each.plain ??= each.state;
      each.state = -1;
      showState(data, each, each.plain, "");
      if (!look) continue;
      each.g.setAttribute("class", `c ${each.kind} ${look}`);
      each.title.textContent = name;
      each.texts.forEach((spot, at) => (spot.textContent = texts[at] || ""));
    }
    const label = way ? `Address ${title}, bit by bit:` : "how an address is split";
    splits[number][0].g.closest("svg").setAttribute("aria-label", [label, ...said].join(" "));
    return way ? [several ? `Design ${data.lanes[number]}. ${label}` : label, ...said.map((one) => `  ${one}`)].join("\n") : "";
  }

  // [mm, address] of a page, an area, or the first place where a frame or a slot is.
  function placeOf(cell, told) {
    const own = cell && /^mm(\d+)-(?:pte|vma)-([0-9a-f]+)$/.exec(cell.own);
    if (own) return [own[1], addressOf(`0x${own[2]}`, data.fields)];
    const [kind, number] = (cell && unpack(data.states[cell.state][4])[0]) || [];
    const what = { frame: "frame", slot: "swap" }[kind];
    const [, mm, address] = (what && told.find((fact) => fact[0] === "pte" && fact[3] === what && fact[4] === number)) || [];
    return [mm, address];
  }

  function showCard(lane, number, cell, told) {
    const first = number === 0;
    if (!cell) {
      const ask = chosen === null ? "Choose a page, a frame, a process, an area or a node: click it, or press Tab and the arrow keys, then Enter." : "There is no such thing here.";
      lane.card.replaceChildren(make("p", { class: "al-prompt" }, ask));
      return;
    }
    const name = data.states[cell.state][3] || "not there at this step";
    const turns = [button("back-change", "← Its last change"), button("next-change", "Its next change →"), button("let-go", "Let go")];
    lane.card.replaceChildren(make("p", { class: "al-what" }, name), ...(first ? [make("div", { class: "al-turns" }, ...turns)] : []));
    const page = pageOf(cell);
    if (page && page !== "0") lane.card.append(mappers(number, page, told));
  }

  function mappers(number, page, told) {
    const spaces = new Map(told.filter(([kind]) => kind === "mm").map(([, mm, , , ...who]) => [mm, who.join(" and ") || `mm ${mm}`]));
    const letter = (mm) => byId.get(`${several ? `d${number}-` : ""}mm${mm}-head`)?.texts[0].textContent || "";
    const place = (mm, address) => make("span", {}, make("b", {}, letter(mm)), ` ${spaces.get(mm) || `mm ${mm}`} ${address}`);
    const entries = told.filter(([kind]) => kind === "pte");
    const found = entries.filter(([, , , what, frame]) => what === "frame" && frame === page);
    const tables = told.filter(([kind]) => kind === "table").length;
    const brute = make("div", { class: "al-brute" }, make("h4", {}, "By brute force"),
      make("p", {}, `${plural(entries.length, "entry").replace("entrys", "entries")} in ${plural(tables, "page table")} read`),
      make("ol", {}, ...found.map(([, mm, address]) => make("li", {}, place(mm, address)))));
    const walk = told.find(([kind, pfn]) => kind === "walk" && pfn === page);
    const box = make("div", { class: "al-who" }, brute);
    box.append(walk ? walked(number, walk, place, found.length) : make("p", { class: "al-small" }, "No walk was recorded here."));
    return box;
  }

  function walked(number, [, , via, nodes, locks, ...probes], place, wanted) {
    const shown = Math.min(probed, probes.length);
    const rows = probes.map((probe) => probe.split(" "));
    const hits = rows.slice(0, shown).filter((row) => row[2] === "hit").length;
    const over = shown === rows.length;
    const seen = over ? nodes : shown ? rows[shown - 1][3] : "0";
    const steps = rows.slice(0, shown).map(([mm, address, what], at) => {
      const sign = draw("svg", { viewBox: "-8 -8 16 16", class: `al-sign ${what}`, "aria-hidden": "true" });
      sign.append(draw("path", { d: DISC + (what === "hit" ? TICK : CROSS) }));
      const target = onPicture(number, mm, address);
      if (target) badge(target, `probe ${what}`, what === "hit" ? TICK : CROSS, String(at + 1));
      return make("li", { class: what }, sign, place(mm, address), make("i", {}, what));
    });
    const counters = [["node", seen], ["probe", shown], ["hit", hits], ["lock", shown ? locks : 0]];
    const end = over && shown ? make("p", { class: "al-end" }, hits === wanted ? `It found all ${wanted}.` : `It found ${hits} of ${wanted}.`) : "";
    const turns = [button("probe", `Probe ${Math.min(shown + 1, rows.length)} of ${rows.length}`), button("probes", "All"), button("unprobe", "Again")];
    turns[0].setAttribute("aria-disabled", String(over));
    turns[1].setAttribute("aria-disabled", String(over));
    turns[2].setAttribute("aria-disabled", String(!shown));
    return make("div", { class: "al-walk" }, make("h4", {}, "By the reverse map"), make("p", {}, via ? `starts at ${via}` : "starts at nothing"),
      make("ol", {}, ...steps), make("p", { class: "al-counters" }, ...counters.map(([name, value]) => make("span", {}, make("b", {}, String(value)), ` ${name}${Number(value) === 1 ? "" : "s"}`))),
      end, make("div", { class: "al-turns" }, ...turns));
  }

  function onPicture(lane, mm, address) {
    const id = `${several ? `d${lane}-` : ""}mm${mm}`;
    return byId.get(`${id}-pte-${vpnOf(address).toString(16)}`) || byId.get(`${id}-head`);
  }

  function probe(many) {
    if (chosen === null || !pageOf(cells[chosen])) return say("Choose a page or a frame first.");
    const held = root.contains(document.activeElement) && document.activeElement.dataset.do;
    probed = many;
    showCards();
    if (held) root.querySelector(`.al-card [data-do=${held}]`)?.focus();
    const told = lanes.map(({ card, name }) => {
      const said = [...card.querySelectorAll(".al-walk li:last-child, .al-end")].map((one) => [...one.childNodes].map((node) => node.textContent).join(" ").trim());
      return `${several ? `${name}: ` : ""}${said.join(". ")}`;
    });
    say(many ? told.join(" ") : "");
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
    if (!guess) guess = { step: here() + 1, cells: new Set() };
    guess.marking = true;
    guess.grid = candidates();
    root.classList.add("marking");
    buttons.predict.setAttribute("aria-pressed", "true");
    picture.element.setAttribute("aria-multiselectable", "true");
    for (const { cell, number, name } of guess.grid) {
      cell.g.classList.add("able");
      cell.g.setAttribute("role", "gridcell");
      cell.g.setAttribute("tabindex", "-1");
      cell.g.setAttribute("aria-label", name || "a place that is still empty");
      cell.g.setAttribute("aria-selected", String(guess.cells.has(number)));
      cell.g.classList.toggle("guessed", guess.cells.has(number));
    }
    if (!guess.grid.some(({ cell }) => cell === roving)) roving = guess.grid[0]?.cell;
    tellGuess();
    rove(true);
  }

  function leave(keep) {
    if (!guess || !guess.marking) return;
    const inside = picture.element.contains(document.activeElement);
    guess.marking = false;
    root.classList.remove("marking");
    buttons.predict.setAttribute("aria-pressed", "false");
    picture.element.removeAttribute("aria-multiselectable");
    for (const { cell } of guess.grid) {
      cell.g.classList.remove("able", ...(keep ? [] : ["guessed"]));
      for (const name of ["aria-label", "aria-selected", ...(cell.open ? [] : ["role", "tabindex"])]) cell.g.removeAttribute(name);
    }
    if (keep) {
      if (inside) root.focus();
      tellGuess();
    }
  }

  const grid = () => (guess?.marking ? guess.grid.map(({ cell }) => cell) : cells.filter(({ open, g }) => open && !g.classList.contains("off")));

  // One tab stop for the whole picture: the cell that had the focus last.
  function rove(focus) {
    const all = grid();
    if (!all.includes(roving)) roving = all[0];
    // Only what is new is set: a new tabindex makes the browser lay the page out at once.
    for (const g of picture.element.querySelectorAll('g[tabindex="0"]')) if (g !== roving?.g) g.setAttribute("tabindex", "-1");
    if (roving && roving.g.getAttribute("tabindex") !== "0") roving.g.setAttribute("tabindex", "0");
    if (focus) roving?.g.focus();
  }

  function nearest(key) {
    const middle = (rect) => [rect.left + rect.width / 2, rect.top + rect.height / 2];
    const [x, y] = middle(roving.g.getBoundingClientRect());
    const axis = key === "ArrowLeft" || key === "ArrowRight" ? 0 : 1;
    const sign = key === "ArrowRight" || key === "ArrowDown" ? 1 : -1;
    let best = roving;
    let least = Infinity;
    for (const cell of grid()) {
      const centre = middle(cell.g.getBoundingClientRect());
      const along = sign * (axis ? centre[1] - y : centre[0] - x);
      const across = Math.abs(axis ? centre[0] - x : centre[1] - y);
      if (along > 2 && along + 3 * across < least) [best, least] = [cell, along + 3 * across];
    }
    return best;
  }

  function toggle(number) {
    const { g } = cells[number];
    if (!guess.cells.delete(number)) guess.cells.add(number);
    const on = guess.cells.has(number);
    g.setAttribute("aria-selected", String(on));
    g.classList.toggle("guessed", on);
    const tick = verdict.querySelector(`input[data-number="${number}"]`);
    if (tick) tick.checked = on;
    tellMarks();
  }

  const marksTold = () => `${plural(guess.cells.size, "place")} marked.`;

  function tellGuess() {
    verdict.replaceChildren();
    const told = make("p", { "data-part": "told" });
    verdict.append(told);
    if (guess.marking) {
      verdict.append(form(), make("div", { class: "al-turns" }, button("as-list", "As a list", true), button("unknown", "I do not know"), button("predict", "Done")));
    }
    tellMarks();
  }

  function tellMarks() {
    verdict.firstChild.textContent = guess.marking
      ? `What will the next step change? Click it, or move with the arrow keys and press Space; Esc ends marking. ${marksTold()}`
      : `${marksTold()} Go to the next step to see who is right.`;
    model.set("prediction", { step: data.kept[guess.step], marked: [...guess.cells].map((number) => cells[number].id) });
    model.save_changes();
  }

  // The same question as a form: a tick for every place, panel by panel.
  function form() {
    const sets = new Map();
    for (const { cell, number, name } of guess.grid) {
      if (/^(none|void)/.test(data.states[cell.state][0]) && !guess.cells.has(number)) continue;
      const head = several ? `${data.lanes[cell.lane]}: ${cell.caption}` : cell.caption;
      if (!sets.has(head)) sets.set(head, make("fieldset", {}, make("legend", {}, head)));
      const tick = make("input", { type: "checkbox", "data-number": String(number) });
      tick.checked = guess.cells.has(number);
      tick.addEventListener("change", () => toggle(number));
      sets.get(head).append(make("label", {}, tick, ` ${name || "a place that is still empty"}`));
    }
    return part("form", "div", { hidden: "", role: "group", "aria-label": "what will change, as a list" }, ...sets.values());
  }

  function asList() {
    const box = verdict.querySelector(".al-form");
    box.hidden = !box.hidden;
    verdict.querySelector("[data-do=as-list]").setAttribute("aria-pressed", String(!box.hidden));
    if (!box.hidden) box.querySelector("input")?.focus();
  }

  function unknown() {
    for (const number of [...guess.cells]) toggle(number);
    leave(true);
    guess.unknown = true;
    go(here() + 1);
  }

  function judge(at) {
    const marks = data.steps[at].marks;
    const actual = new Set();
    for (let k = 0; k < marks.length; k += 2) if (KINDS.includes(cells[marks[k]].kind)) actual.add(marks[k]);
    const ids = (numbers) => numbers.map((number) => cells[number].id);
    const marked = [...guess.cells];
    const now = statesAt(data, at);
    const told = (number) => short(data.states[now[number]][3] || data.states[cells[number].state][3]) || cells[number].id;
    const result = {
      step: data.kept[at], title: data.steps[at].title, marked: ids(marked), known: !guess.unknown,
      names: Object.fromEntries([...new Set([...marked, ...actual])].map((number) => [cells[number].id, told(number)])),
      hit: ids(marked.filter((number) => actual.has(number))),
      missed: ids([...actual].filter((number) => !guess.cells.has(number))),
      extra: ids(marked.filter((number) => !actual.has(number))),
    };
    if (!results.has(result.step)) results.set(result.step, result); // the first one is kept
    model.set("prediction", { ...result, right: result.hit });
    model.set("predictions", Object.fromEntries(results));
    model.save_changes();
  }

  const score = ({ hit, missed, extra, known }) =>
    known === false ? `you did not know; ${missed.length} changed` : `${hit.length} right, ${missed.length} missed, ${extra.length} too many`;

  function showVerdict(at) {
    for (const old of picture.element.querySelectorAll(".q")) old.remove();
    const result = results.get(data.kept[at]);
    verdict.replaceChildren();
    if (result) {
      const name = (id) => data.states[byId.get(id).state][3] || `${id}, gone`;
      verdict.append(make("p", {}, `Your prediction: ${score(result)}.`));
      for (const [kind, [word, sign]] of Object.entries(VERDICTS)) {
        const known = result[kind].filter((id) => byId.has(id));
        for (const id of known) badge(byId.get(id), kind, sign);
        if (!known.length) continue;
        const more = known.length > 6 ? `; and ${known.length - 6} more` : "";
        verdict.append(make("p", { class: `al-${kind}` }, `${word}: ${known.slice(0, 6).map(name).join("; ")}${more}`));
      }
    }
    if (at === last && results.size) verdict.append(summary());
    if (verdict.firstChild) verdict.append(part("keeping", "p", {}, keeping()));
  }

  const keeping = () => model.get("keeping") || "Not kept: predictions go when this is closed.";

  // At the end, all predictions once more, each with a way back to its step.
  function summary() {
    const rows = [...results.values()].sort((a, b) => a.step - b.step).map((result) => {
      const at = data.kept.indexOf(result.step);
      const back = at < 0 ? make("span", {}, `step ${result.step}`) : button("to", `Step ${at}: ${result.title}`);
      if (at >= 0) back.dataset.step = String(at);
      return make("li", {}, back, ` ${score(result)}`);
    });
    const sum = (kind) => [...results.values()].reduce((total, one) => total + one[kind].length, 0);
    return part("summary", "div", {}, make("p", {}, `Your predictions: ${sum("hit")} right, ${sum("missed")} missed, ${sum("extra")} too many in ${plural(results.size, "step")}.`), make("ul", {}, ...rows));
  }

  // ---- listeners

  const acts = {
    first: () => (here() ? go(0) : go(-1)),
    previous: () => go(here() - 1),
    play,
    next: () => go(here() + 1),
    last: () => (here() < last ? go(last) : go(last + 1)),
    predict: mark,
    text: () => toggleText(),
    "as-list": asList,
    unknown,
    probe: () => probe(probed + 1),
    probes: () => probe(Infinity),
    unprobe: () => probe(0),
    "back-change": () => nextChange(-1),
    "next-change": () => nextChange(1),
    "let-go": () => { choose(chosen); root.focus(); },
    more: () => turn(data.steps[here()].more),
    back: () => turn(parts.back[0], parts.back[1]),
    to: (target) => go(Number(target.dataset.step)),
  };

  function click(event) {
    const target = event.target.closest("[data-do]");
    if (target) {
      if (target.dataset.do !== "play") stop();
      if (target.getAttribute("aria-disabled") === "true" && target.closest(".al-card")) return undefined;
      return acts[target.dataset.do](target);
    }
    const one = charts.find(({ root: box }) => box.contains(event.target));
    if (one) return go(Math.max(0, Math.min(last, one.at(event))));
    const g = event.target.closest("[data-cell]");
    const cell = g && cells.find((each) => each.g === g);
    if (!cell) return undefined;
    if (guess?.marking) {
      if (!g.classList.contains("able")) return undefined;
      roving = cell;
      rove(true);
      return toggle(cell.number);
    }
    const open = cell.open ? cell : cell.kind === "span" && openArea(cell);
    if (!open) return undefined;
    roving = open;
    rove();
    return choose(open.number);
  }

  // A piece of the address line stands for the area that it is a part of.
  const openArea = (span) => cells.find((cell) => cell.kind === "vma" && cell.lane === span.lane && sides(cell)[0].some((tag) => sides(span)[0].includes(tag)));

  function escape(target) {
    if (guess?.marking) return leave(true);
    if (target.closest?.(".anonlab-picture") && target !== root) return root.focus();
    if (chosen !== null) return choose(chosen);
    const all = [...document.querySelectorAll('a[href],button,input,select,textarea,[tabindex="0"]')];
    const next = all.find((one) => !root.contains(one) && root.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING);
    if (next) next.focus();
    else document.activeElement.blur();
  }

  const keys = {
    ArrowLeft: acts.previous, ArrowRight: acts.next, Home: acts.first, End: acts.last,
    p: mark, P: mark, t: acts.text, T: acts.text, Escape: escape,
    n: acts["next-change"], N: acts["back-change"], w: acts.probe, W: acts.probes,
  };

  function keydown(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return undefined;
    const { key, target } = event;
    if (/^(INPUT|SELECT)$/.test(target.tagName) && key !== "Escape") {
      // JupyterLab keeps a slider from its arrow keys, so they are taken as on the player itself.
      if (target !== range || /^(ArrowUp|ArrowDown|Page)/.test(key)) return undefined;
    }
    const g = target.closest?.("[data-cell]");
    if (g) {
      const all = grid();
      const cell = all.find((each) => each.g === g);
      if (cell) roving = cell;
      if (cell && (key === " " || key === "Enter")) return take(event, () => (guess?.marking ? toggle(cell.number) : choose(cell.number)));
      const to = key.startsWith("Arrow") ? nearest(key) : key === "Home" ? all[0] : key === "End" ? all[all.length - 1] : null;
      if (to) return take(event, () => { roving = to; rove(true); });
    }
    if (key === " " && target === root) return take(event, play);
    if (keys[key]) return take(event, () => { if (key !== "t" && key !== "T") stop(); keys[key](target); });
    return undefined;
  }

  function take(event, does) {
    event.preventDefault();
    does();
  }

  const under = (event) => {
    const g = event.target.closest?.("[data-cell]");
    const cell = g && g.dataset.links ? cells[Number(g.dataset.cell)] : null;
    light(cell ? cell.number : chosen);
  };
  const slide = () => { stop(); go(Number(range.value)); };
  root.addEventListener("click", click);
  root.addEventListener("keydown", keydown);
  range.addEventListener("input", slide);
  picture.element.addEventListener("pointerover", under);
  picture.element.addEventListener("pointerleave", () => light(chosen));
  picture.element.addEventListener("focusin", under);
  const tellKeeping = () => root.querySelector("[data-part=keeping]")?.replaceChildren(keeping());
  model.on("change:step", show);
  model.on("change:keeping", tellKeeping);
  showNote();
  chosen = byId.get(model.get("chosen"))?.number ?? null; // another trace, the same thing
  show();

  return () => {
    stop();
    model.off("change:step", show);
    model.off("change:keeping", tellKeeping);
    root.remove();
  };
}

export default { render };
