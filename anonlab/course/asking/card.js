// A question card alone in a cell. Python judges (card_widget.py): an answer goes there as a message,
// its verdict comes back as `verdict`. Where no kernel answers, the card says so and keeps the answer.
const PATIENCE = 15000; // ms
let cards = 0;

function render({ model, el }) {
  const prefix = `ac${(cards += 1)}-`;
  let waiting = null;
  const judge = (_, answers) => new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(say("card.nobody"))), PATIENCE);
    waiting = (verdict) => {
      clearTimeout(late);
      waiting = null;
      resolve(verdict);
    };
    model.send({ lock: answers });
  });
  const card = makeCard(model.get("card"), prefix, { judge });
  const about = node("div", { class: "al-about" });
  about.innerHTML = model.get("html"); // a picture that Python drew
  const root = node("div", { class: "anonlab-player anonlab-card", "data-lm-suppress-shortcuts": "true" }, about, card.element);
  root.addEventListener("keydown", (event) => event.stopPropagation()); // no letter reaches the notebook's own keys
  const judged = () => {
    const verdict = model.get("verdict");
    if (waiting) return waiting(verdict);
    if (!verdict.again && verdict.said !== undefined) shownAgain(card, verdict, model.get("answers"));
    return undefined;
  };
  model.on("change:verdict", judged);
  el.append(root);
  judged();
  return () => model.off("change:verdict", judged);
}

// Show a card that was answered before, or of which more is known now.
function shownAgain(card, verdict, answers) {
  card.first ??= answers;
  const had = card.element.contains(document.activeElement);
  card.focus = had ? card.focus : () => {};
  card.reveal(verdict, answers, false);
  delete card.focus;
}

export default { render };
