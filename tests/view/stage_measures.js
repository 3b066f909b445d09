// What a browser can measure of the stage, for test_stage_browser.py.

// Return how much room the page takes and which of the things `keys` are not in the window. Where
// there is little room, neighbours that changed alike share a row, and a third table is one line.
window.onScreen = (keys) => {
  const find = (selector) => document.querySelector(selector);
  const seen = (one) => {
    const box = one && one.getBoundingClientRect();
    const inside = box && box.top >= 0 && box.left >= 0 && box.bottom <= innerHeight && box.right <= innerWidth;
    return Boolean(inside && box.width);
  };
  const together = (mm) =>
    innerWidth < 900 && (seen(find(`[data-mm="${mm}"] [role=option].ch .fo`)) || seen(find(`[data-key=m${mm}] .fo`)));
  const bar = find("[data-part=bar]");
  const { scrollHeight: tall, scrollWidth: wide } = document.documentElement;
  const missing = keys.filter((key) => !seen(find(`[role=option][data-key="${key}"] .fo`)) && !together(key.split(/[p-]/)[1]));
  return { tall, wide, bar: bar.offsetHeight, top: bar.getBoundingClientRect().top, sentence: seen(find("[data-part=sentence]")), missing };
};

// Press Next for each list of keys; return what onScreen() says after each.
window.onScreenAfterNext = (steps) => steps.map((keys) => {
  document.querySelector("[data-do=next]").click();
  return { ...onScreen(keys), step: Number(document.querySelector("[data-step]").dataset.step) };
});

// Return the texts whose letters are less than `least` px high on the screen.
window.tooSmall = (least) =>
  [...document.querySelectorAll(".anonlab-player *")].filter((one) => {
    const own = [...one.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
    if (!own || one.getBoundingClientRect().width < 2 || !one.checkVisibility() || one.closest(".al-hidden, title")) return false;
    const svg = one.ownerSVGElement;
    const scale = svg ? svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : one.currentCSSZoom;
    return parseFloat(getComputedStyle(one).fontSize) * scale < least - 0.01;
  }).map((one) => one.textContent.trim().slice(0, 30));

// Return the texts of designs' panels that reach out of their panel, and panels that are cut.
window.cropped = () =>
  [...document.querySelectorAll("[data-design] text")].filter((one) => {
    const [box, own] = [one, one.closest("[data-design]")].map((each) => each.getBoundingClientRect());
    return box.left < own.left || box.right > own.right;
  }).map((one) => one.textContent).concat(lowCards());

// Return the designs whose panel goes on below the room for pictures.
const lowCards = () => {
  const stage = document.querySelector(".al-sheets").getBoundingClientRect();
  return [...document.querySelectorAll("[data-design]")].filter((one) => one.checkVisibility() && one.getBoundingClientRect().bottom > stage.bottom + 0.5)
    .map((one) => `${one.dataset.design} is cut`);
};
