// What an exported page adds to the player's module: an address that opens a step, asks a question,
// and says how the page looks:
//   #step=7  #ask=7  #big  #theme=dark  #tab=cost  #tabs=rmap,cost  #tabs=none  #chosen=f3
const pageModel = hostModel(JSON.parse(document.getElementById("anonlab-state").textContent));

// Return what the address asks for, {name: text}.
function pageWishes() {
  const pairs = location.hash.slice(1).split("&").filter(Boolean).map((part) => part.split("="));
  return Object.fromEntries(pairs.map(([name, value]) => [name, value === undefined ? "1" : decodeURIComponent(value)]));
}

// Return the step that a text names, null if it names none of this story.
function stepNamed(text, last) {
  return /^\d+$/.test(text || "") ? Math.min(Number(text), last) : null;
}

function pageLook({ theme }) {
  for (const element of [document.body, ...document.querySelectorAll(".anonlab-player")]) {
    if (theme === "dark" || theme === "light") element.dataset.theme = theme;
    else delete element.dataset.theme;
  }
}

// Do what the address asks for.
function followPage(player) {
  const wishes = pageWishes();
  const { last } = player.story;
  pageLook(wishes);
  const step = stepNamed(wishes.step, last);
  if (step !== null && step !== player.now.i) player.show(step, false);
  if ("big" in wishes) player.setBig(true);
  if (wishes.chosen) player.choose(wishes.chosen);
  if (wishes.tab && player.tabs.tabs.includes(wishes.tab) && player.now.tab !== wishes.tab) player.setTab(wishes.tab);
  const asked = stepNamed(wishes.ask, last);
  if (asked !== null && player.story.ask[asked]) player.ask(asked);
}

// The step goes into the address when one stays at it: that is slow, and browsers count it.
let pageTimer = 0;
let pageWrote = "";
function noteStep() {
  clearTimeout(pageTimer);
  pageTimer = setTimeout(() => {
    const rest = location.hash.slice(1).split("&").filter((part) => part && !/^(step|ask)(=|$)/.test(part));
    pageWrote = `#${[`step=${pageModel.get("step")}`, ...rest].join("&")}`;
    if (location.hash !== pageWrote && (location.hash || pageModel.get("step"))) location.replace(pageWrote);
  }, 150);
}

async function openPage() {
  const host = document.getElementById("anonlab");
  const still = host.querySelector("[data-part=static]");
  const payload = await unpacked(pageModel.get("frames"));
  const wishes = pageWishes();
  if (wishes.tabs) payload.tabs = wishes.tabs === "none" ? [] : payload.tabs.filter((tab) => wishes.tabs.split(",").includes(tab));
  pageModel.set("frames", payload);
  pageModel.set("step", stepNamed(wishes.step, payload.steps.length - 1) ?? 0);
  const { player } = mount({ model: pageModel, el: host });
  if (still) {
    still.hidden = true;
    host.append(still);
  }
  followPage(player);
  pageModel.on("change:step", noteStep);
  addEventListener("hashchange", () => { if (location.hash !== pageWrote) followPage(player); });
}

openPage();
