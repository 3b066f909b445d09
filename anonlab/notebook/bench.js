// The controls of the bench: a bar above the picture, the history beside it. Python decides all, and
// gives the words: `fixed.words` has those of the language that was chosen when the bench was made.
let views = 0; // of one bench; Python says which bench it is

function render({ model, el }) {
  const root = model.get("place") === "bar" ? bar(model) : side(model);
  el.append(root.element);
  const stop = model.get("place") === "bar" ? tellHeight(root.element) : () => {};
  const update = () => root.update(model.get("view"));
  const listen = [["change:view", update], ["change:offers", () => root.offer?.(model.get("offers"))]];
  for (const [event, act] of listen) model.on(event, act);
  root.element.addEventListener("keydown", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation(); // not the notebook's
  });
  update();
  return () => {
    stop();
    for (const [event, act] of listen) model.off(event, act);
  };
}

// Tell the player how much of the screen the bar takes; return what ends it. An open form does not
// count: the picture would jump.
function tellHeight(element) {
  const observer = new ResizeObserver(() => {
    const bench = element.closest(".anonlab-workbench");
    const height = element.querySelector("details[open], .ab-edit:not([hidden])") ? 0 : element.offsetHeight;
    const told = `${height}px`;
    if (!bench || !height || bench.style.getPropertyValue("--al-above") === told) return;
    bench.style.setProperty("--al-above", told);
    dispatchEvent(new Event("resize"));
  });
  observer.observe(element);
  return () => observer.disconnect();
}

// Return what says the words of a key, with its arguments.
function speaker(model) {
  const { words } = model.get("fixed");
  return (key, args = {}) => words[`bench.${key}`].replace(/\{(\w+)\}/g, (_, name) => args[name]);
}

// ---- elements

function make(tag, attributes = {}, ...inside) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...inside);
  return element;
}

const button = (name, words, act) => {
  const element = make("button", { type: "button", "data-do": name }, words);
  element.addEventListener("click", () => element.getAttribute("aria-disabled") !== "true" && act());
  return element;
};

const off = (element, is) => element.setAttribute("aria-disabled", String(is));

function field(words, input) {
  return make("label", { class: "ab-field" }, make("span", {}, words), input);
}

function choice(name, groups, act) {
  const element = make("select", { "data-do": name });
  const option = ([value, words]) => make("option", { value }, words);
  for (const [label, options] of groups) {
    if (label) element.append(make("optgroup", { label }, ...options.map(option)));
    else element.append(...options.map(option));
  }
  element.addEventListener("change", () => act(element.value));
  return element;
}

const group = (words, kind, ...inside) => make("div", { class: `ab-row ${kind}`, role: "group", "aria-label": words }, ...inside);

// ---- the bar

function bar(model) {
  const fixed = model.get("fixed");
  const word = speaker(model);
  const ids = `ab-${fixed.id}-${(views += 1)}`;
  const send = (name, more = {}) => model.send({ do: name, ...more });
  const command = commandLine(model, ids, send, word);
  const say = make("div", { class: "ab-say", role: "status", "data-part": "say" });
  const target = make("b", { "data-part": "target" });
  const value = make("input", { type: "number", min: "0", value: "100", class: "ab-short", "data-part": "value" });
  const to = make("input", { type: "text", value: "0x80000", class: "ab-short", "data-part": "to", spellcheck: "false" });
  const act = (verb) => send("on_page", { verb, value: value.value, to: to.value });
  const onPage = ["read", "swap_out", "munmap"].map((verb) => button(verb, word(`act.${verb}`), () => act(verb)));
  const onProcess = ["fork", "exit"].map((verb) => button(verb, word(`act.${verb}`), () => act(verb)));
  const page = group(word("name-page"), "ab-act",
    make("span", { class: "ab-target", "aria-live": "polite" }, target),
    make("span", { class: "ab-pair" }, button("write", word("act.write"), () => act("write")), field(word("value"), value)),
    ...onPage,
    make("span", { class: "ab-pair" }, button("mremap", word("act.mremap"), () => act("mremap")), field(word("to"), to)),
    ...onProcess);
  const undo = button("undo", word("undo"), () => send("undo"));
  const redo = button("redo", word("redo"), () => send("redo"));
  const selects = {
    preset: choice("preset", fixed.presets, (name) => name !== " " && send("preset", { name })),
    machine: choice("machine", [["", fixed.machines]], (name) => send("machine", { name })),
    design: choice("design", [["", fixed.designs]], (name) => send("design", { name })),
    compare: choice("compare", [["", [["", word("nothing")], ...fixed.designs]]], (name) => send("compare", { name })),
  };
  command.beside.append(undo, redo);
  const changes = group(word("name-begin"), "ab-changes",
    field(word("begin"), selects.preset), field(word("design"), selects.design), field(word("compare"), selects.compare));
  const path = make("input", { type: "text", value: "my.history", "data-part": "path", spellcheck: "false" });
  const named = (name) => () => send(name, { path: path.value });
  const copy = button("copy", word("copy"), () => send("copy"));
  const editor = editing(send, word);
  const files = make("details", { class: "ab-files" }, make("summary", {}, word("more")),
    group(word("name-more"), "ab-more", field(word("machine"), selects.machine), editor.open, copy, field(word("file"), path),
      button("save", word("save"), named("save")), button("load", word("load"), named("load")), button("page", word("page"), named("page"))));
  const element = make("div", { class: "anonlab-bench ab-bar", role: "group", "aria-label": word("name-bar"), "data-lm-suppress-shortcuts": "true" },
    command.element, say, page, changes, files, editor.element);
  let copied = 0;

  function update(view) {
    command.answer(view);
    const asked = view.choices.map(([name, words, more]) => button(name, words, () => send(name, more)));
    const words = make("span", {}, view.message);
    if (say.textContent !== view.message + view.choices.map((one) => one[1]).join("") || asked.length) say.replaceChildren(words, ...asked);
    say.dataset.kind = view.kind;
    target.textContent = view.chosen || word("click");
    for (const [element_, words_, name] of [[undo, view.undo, "undo"], [redo, view.redo, "redo"]]) {
      element_.textContent = words_ ? word(`${name}-what`, { what: words_ }) : word(name);
      element_.title = element_.textContent;
      off(element_, !words_);
    }
    selects.preset.value = view.preset || " ";
    selects.machine.value = view.machine;
    selects.design.value = view.design;
    selects.compare.value = view.beside;
    for (const option of selects.compare.options) option.disabled = option.value === view.design;
    if (view.copy && view.copy[0] !== copied) {
      copied = view.copy[0];
      navigator.clipboard?.writeText(view.copy[1]).then(() => {}, () => editor.show(view.copy[1], true));
    }
    editor.update(view);
  }

  return { element, update, offer: command.offer };
}

// ---- the command line: Enter does it, up and down recall, Tab completes

function commandLine(model, ids, send, word) {
  const input = make("input", {
    type: "text", role: "combobox", "aria-expanded": "false", "aria-controls": `${ids}-offers`, "aria-autocomplete": "list",
    "aria-describedby": `${ids}-hint`, autocomplete: "off", autocapitalize: "off", spellcheck: "false", placeholder: "child = fork shell", "data-part": "line",
  });
  const list = make("ul", { id: `${ids}-offers`, role: "listbox", "aria-label": word("name-offers"), class: "ab-offers", hidden: "" });
  const hint = make("p", { id: `${ids}-hint`, class: "ab-hint", "data-part": "hint" });
  const doIt = button("line", word("do"), submit);
  const beside = make("span", { class: "ab-pair" }, doIt);
  const element = make("div", { class: "ab-line" }, make("div", { class: "ab-typed" }, field(word("operation"), input), list), beside, hint);
  const waiting = new Map(); // number of a line -> its text
  let number = 0;
  let answered = 0;
  let back = 0; // how far recall went back
  let unsent = "";
  let items = [];

  function submit() {
    const line = input.value.trim();
    if (!line) return hide();
    if (answered === 0) answered = model.get("view").answer[0];
    number = Math.max(number, answered) + 1;
    waiting.set(number, input.value);
    back = 0;
    hide();
    send("line", { line, number });
  }

  function answer(view) {
    const [last, ok] = view.answer;
    input.toggleAttribute("aria-invalid", false);
    if (waiting.has(last)) {
      if (ok && input.value === waiting.get(last)) input.value = "";
      if (!ok) input.setAttribute("aria-invalid", "true");
      waiting.delete(last);
      answered = last;
    }
    tell(view);
  }

  function tell(view, usage = "") {
    const tries = word("try", { lines: view.tries.length ? view.tries.join("   ·   ") : "p2 = fork shell" });
    const recall = make("span", { class: "ab-recall" }, `   ${word("recall")}`);
    hint.replaceChildren(...(usage ? [word("usage", { form: usage })] : input.value ? [word("keys")] : [tries, recall]));
  }

  function recall(way) {
    const lines = model.get("view").typed;
    if (!back) unsent = input.value;
    const next = Math.min(Math.max(back + way, 0), lines.length);
    if (next === back) return;
    back = next;
    input.value = back ? lines[lines.length - back] : unsent;
    input.setSelectionRange(input.value.length, input.value.length);
    hide();
  }

  function offer(offers) {
    if (offers.line !== input.value || document.activeElement !== input) return;
    items = offers.items;
    list.replaceChildren(...items.map((words, at) => {
      const option = make("li", { role: "option", id: `${ids}-o${at}`, "aria-selected": String(at === 0) }, words);
      option.addEventListener("mousedown", (event) => {
        event.preventDefault();
        take(words);
      });
      return option;
    }));
    const open = items.length > 0 && input.value !== "";
    list.hidden = !open;
    input.setAttribute("aria-expanded", String(open));
    if (open) input.setAttribute("aria-activedescendant", `${ids}-o0`);
    else input.removeAttribute("aria-activedescendant");
    tell(model.get("view"), offers.usage);
  }

  function take(words) {
    input.value = words + " ";
    ask();
  }

  function hide() {
    list.hidden = true;
    items = [];
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function ask() {
    hide();
    send("complete", { line: input.value });
  }

  input.addEventListener("input", () => {
    back = 0;
    input.removeAttribute("aria-invalid");
    ask();
  });
  input.addEventListener("blur", hide);
  input.addEventListener("keydown", (event) => {
    const at_end = input.selectionStart === input.value.length;
    const acts = {
      Enter: submit,
      ArrowUp: () => recall(1),
      ArrowDown: () => recall(-1),
      ...(list.hidden ? {} : { Tab: () => take(items[0]), Escape: hide, ...(at_end ? { ArrowRight: () => take(items[0]) } : {}) }),
    };
    if (event.shiftKey || event.ctrlKey || event.metaKey || event.altKey || !(event.key in acts)) return;
    event.preventDefault();
    acts[event.key]();
  });
  return { element, beside, answer, offer };
}

// ---- the text as a whole

function editing(send, word) {
  const area = make("textarea", { rows: "10", spellcheck: "false", "data-part": "text" });
  const words = make("span", {}, word("whole"));
  const replay = button("replay", word("replay"), () => send("replay", { text: area.value }));
  const close = button("close", word("close"), () => {
    element.hidden = true;
    open.focus();
  });
  const open = button("edit", word("edit"), () => send("edit"));
  const element = make("div", { class: "ab-edit", hidden: "" }, make("label", { class: "ab-area" }, words, area), make("div", { class: "ab-row" }, replay, close));
  let seen = 0;

  function show(text, copying = false) {
    area.value = text;
    element.hidden = false;
    area.focus();
    if (copying) area.select();
  }

  function update(view) {
    const [number, text, line] = view.text;
    if (number === seen) return;
    seen = number;
    if (text === null) element.hidden = true;
    else if (line) pointAt(line);
    else show(text);
  }

  function pointAt(line) {
    const lines = area.value.split("\n");
    const start = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
    area.focus();
    area.setSelectionRange(start, start + (lines[line - 1] || "").length);
  }

  return { element, update, open, show };
}

// ---- the history, numbered

function side(model) {
  const word = speaker(model);
  const send = (name, more = {}) => model.send({ do: name, ...more });
  const count = make("span", { class: "ab-count" });
  const list = make("ol", { class: "ab-ops", "data-part": "ops" });
  const earlier = button("earlier", word("earlier"), () => send("rows", { from: model.get("view").from - 100 }));
  const later = button("later", word("later"), () => send("rows", { from: model.get("view").from + 100 }));
  const out = button("take_out", word("take-out"), () => send("take_out", { operation: model.get("view").shown }));
  const failed = make("div", { class: "ab-failed", "data-part": "failed" });
  const element = make("div", { class: "anonlab-bench ab-side", role: "group", "aria-label": word("name-side"), "data-lm-suppress-shortcuts": "true" },
    make("h3", {}, `${word("history")} `, count), earlier, list, later, failed, make("div", { class: "ab-row" }, out));
  let last = "";

  function row([number, line, error], view) {
    const here = number === view.shown;
    const element_ = make("button", { type: "button", "data-op": String(number), tabindex: here ? "0" : "-1", ...(here ? { "aria-current": "step" } : {}) },
      make("span", { class: "ab-n" }, String(number)), " ", make("code", {}, line), ...(error ? [" ", make("span", { class: "ab-error" }, `✕ ${error}`)] : []));
    element_.addEventListener("click", () => send("show", { operation: number }));
    return make("li", {}, element_);
  }

  function update(view) {
    count.textContent = view.counted;
    earlier.hidden = view.from <= 1;
    later.hidden = view.from + view.rows.length > view.count;
    out.textContent = view.shown ? word("take-out-one", { number: view.shown }) : word("take-out");
    off(out, !view.shown);
    const told = JSON.stringify([view.rows, view.shown]);
    if (told !== last) {
      last = told;
      list.style.setProperty("--ab-digits", String(view.from + view.rows.length).length);
      const inside = list.contains(document.activeElement);
      list.replaceChildren(...view.rows.map((one) => row(one, view)));
      const here = list.querySelector("[aria-current]") || list.querySelector("button");
      if (here) {
        here.tabIndex = 0;
        list.scrollTop += here.getBoundingClientRect().bottom > list.getBoundingClientRect().bottom || here.getBoundingClientRect().top < list.getBoundingClientRect().top
          ? here.getBoundingClientRect().top - list.getBoundingClientRect().top - list.clientHeight / 2 : 0;
        if (inside) here.focus({ preventScroll: true });
      }
    }
    failed.replaceChildren(...(view.failed ? [make("code", {}, view.failed[0]), make("p", {}, `✕ ${view.failed[1]}`), make("p", {}, word("not-kept"))] : []));
  }

  list.addEventListener("keydown", (event) => {
    const rows = [...list.querySelectorAll("button")];
    const at = rows.indexOf(document.activeElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (next === undefined || !rows[next]) return;
    event.preventDefault();
    for (const one of rows) one.tabIndex = -1;
    rows[next].tabIndex = 0;
    rows[next].focus();
  });
  return { element, update };
}

export default { render };
