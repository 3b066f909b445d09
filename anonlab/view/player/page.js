// What the exported page adds to the player's module: a stand-in for the widget's model, the step in
// the page's address, and the strip for paper.
const model = {
  state: JSON.parse(document.getElementById("anonlab-state").textContent),
  heard: {},
  get(name) { return this.state[name]; },
  set(name, value) {
    this.state[name] = value;
    (this.heard["change:" + name] || []).slice().forEach((listener) => listener());
  },
  save_changes() {},
  send() {},
  on(name, listener) { (this.heard[name] ||= []).push(listener); },
  off(name, listener) {
    this.heard[name] = (this.heard[name] || []).filter((one) => one !== listener);
  },
};
model.state.frames ||= Object.values(model.state.parts)[0];
const linked = (name) => (new RegExp(`[#&]${name}=([\\w:]+)`).exec(location.hash) || [])[1];
const steps = () => model.get("frames").steps.length;
let written = ""; // what the page itself put into the address
const follow = () => {
  if (location.hash === written) return;
  const id = linked("part");
  if (id && model.state.parts[id] && id !== model.get("frames").parts.here) model.set("wanted", [id, 0]);
  const step = Math.min(steps() - 1, Number(linked("step") || 0));
  if (step !== model.get("step")) model.set("step", step);
};

// A part of a long trace is asked for: here all parts are on the page already.
model.on("change:wanted", () => {
  const [id, step] = model.get("wanted");
  model.state.step = 0;
  model.set("frames", model.state.parts[id]);
  model.set("step", step < 0 ? steps() - 1 : Math.min(step, steps() - 1));
});
// The step goes into the address when one stays at it: that is slow, and browsers count it.
let soon = 0;
model.on("change:step", () => {
  clearTimeout(soon);
  soon = setTimeout(() => {
    const part = (model.get("frames").parts || {}).here;
    const hash = `#${part ? `part=${part}&` : ""}step=${model.get("step")}`;
    written = hash;
    if (location.hash !== hash && (location.hash || model.get("step"))) location.replace(hash);
  }, 150);
});

// The strip for paper: every step with its picture and its text.
function strip(data, root) {
  root.replaceChildren();
  root.className = "anonlab-player al-strip";
  data.steps.forEach((step, at) => {
    const { element, cells, lanes } = buildPicture(data, `strip${at}-`);
    paint(data, cells, at);
    lanes.forEach(fold);
    const head = make("h2", {}, `${named(data, at)}: ${step.title}`);
    root.append(make("section", {}, head, make("p", {}, step.sentence), element, make("pre", {}, twin(data, at))));
  });
}

model.state.step = Math.min(steps() - 1, Number(linked("step") || 0));
addEventListener("hashchange", follow);
render({ model, el: document.getElementById("anonlab") });
if (linked("part")) follow();
addEventListener("beforeprint", () => strip(model.get("frames"), document.getElementById("strip")));
