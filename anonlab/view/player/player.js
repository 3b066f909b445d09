// The widget: joins a player to its model, in JupyterLab and in a page alike.
//
// frames (a payload, or "deflate:…") may be replaced at any time; step, chosen and predictions go
// both ways; keeping says where answers are kept.
let views = 0;

function render({ model, el }) {
  return mount({ model, el }).remove;
}

// Put a player into `el`; `remove` takes it out again.
function mount({ model, el }) {
  const prefix = `al${(views += 1)}-`;
  const root = node("div", { class: "anonlab-player st", role: "group", lang: WORDS["language.code"], "data-lm-suppress-shortcuts": "true" });
  el.append(root);
  const link = modelLink(model);
  const player = new Player(root, link, prefix);
  let wanted = 0;
  let shows = null; // the frames that are on the screen
  const open = (payload) => {
    shows = model.get("frames");
    player.load(openStory(payload), model.get("step") || 0);
  };
  const load = async () => {
    const mine = (wanted += 1);
    const frames = model.get("frames");
    if (typeof frames !== "string") return open(frames);
    const payload = await unpacked(frames);
    if (mine === wanted) open(payload);
  };
  const heard = {
    "change:frames": load,
    "change:step": () => shows === model.get("frames") && followStep(player, model),
    "change:chosen": () => shows === model.get("frames") && followChosen(player, model),
    "change:keeping": () => player.card && player.card.setSaid(model.get("keeping")),
  };
  for (const [event, act] of Object.entries(heard)) model.on(event, act);
  load();
  const remove = () => {
    for (const [event, act] of Object.entries(heard)) model.off(event, act);
    player.remove();
  };
  return { player, remove };
}

// Python, the page's address or another view of the same model has set the step.
function followStep(player, model) {
  const { story, now } = player;
  if (!story) return;
  const step = clamp(model.get("step"), 0, story.last);
  if (step === now.i) return;
  player.stop();
  player.show(step, Math.abs(step - now.i) === 1);
}

function followChosen(player, model) {
  const { story, now } = player;
  if (!story || model.get("chosen") === now.chosen) return;
  now.chosen = model.get("chosen") || "";
  player.paint(false);
}

// What the player may ask of its host. A change is sent at once: ipywidgets holds back what comes too
// fast, and an echo of an older change would undo one that is not sent yet.
function modelLink(model) {
  const set = (name, value) => {
    if (model.get(name) === value) return;
    model.set(name, value);
    model.save_changes();
  };
  return { get: (name) => model.get(name), set, judge: (step, card, answers) => judged(model, step, card, answers) };
}

// Ask Python for a verdict: `wanted` says what is asked, `verdict` comes back with its number.
function judged(model, step, card, answers) {
  const number = Date.now();
  return new Promise((resolve, reject) => {
    const hear = () => {
      const verdict = model.get("verdict");
      if (!verdict || verdict.number !== number) return;
      model.off("change:verdict", hear);
      resolve(verdict);
    };
    model.on("change:verdict", hear);
    model.set("wanted", ["judge", step, answers, number]);
    model.save_changes();
    if (model.get("verdict") === undefined) reject(new Error(say("card.nohost")));
  });
}

export default { render };
