// What the pages of the site add to player and card: a judge for cards, and the theme.
(() => {
  const KEPT = "Kept on this page until you leave it.";

  // The verdict on the answers to a card; `last` if it is not to be tried again.
  function verdict(card, truths, answers, last) {
    const given = card.parts.map((part, at) => (answers[at] === null ? null : anonlabCard.PARTS[part.kind].words(part, answers[at])));
    const open = given.map((words) => ({ right: null, given: words, truth: "", why: "" }));
    if (truths === "kept") return { parts: open, again: false, nudge: "", said: `${KEPT} What happens comes next.` };
    if (!truths) return { parts: open, again: false, nudge: "", said: "This page cannot judge it: run the page, and ask there." };
    const parts = card.parts.map((part, at) => judged(part, truths[at], answers[at], given[at]));
    const right = parts.filter((part) => part.right === true).length;
    const counted = `${right} of ${parts.length} right.`;
    if (right < parts.length && !last) return { parts: open, again: true, nudge: `${counted} Look again, and try once more.`, said: "" };
    return { parts, again: false, nudge: "", said: counted };
  }

  function judged(part, truth, answer, given) {
    if (truth.steps) return inOrder(part, truth, answer, given);
    if ("number" in truth) {
      const right = answer !== null && numberOf(answer) === truth.number;
      return { right, given, truth: `0x${truth.number.toString(16)}, which is ${truth.number}`, why: truth.said };
    }
    const key = Array.isArray(answer) ? [...answer].sort((a, b) => a - b).join(",") : String(answer);
    const wanted = Array.isArray(truth.truth) ? truth.truth.join(",") : String(truth.truth);
    return { right: key === wanted, given, truth: anonlabCard.PARTS[part.kind].words(part, truth.truth), why: truth.why[key] || truth.why[wanted] || "" };
  }

  const numberOf = (text) => {
    const plain = String(text).trim().toLowerCase();
    return /^(0x[0-9a-f]+|\d+)$/.test(plain) ? Number(plain) : NaN;
  };

  // An order is right if all steps are there, each after those that it needs, and nothing else.
  function inOrder(part, { steps, others }, answer, given) {
    const line = answer === null ? 0 : answer.indexOf(part.line);
    const above = answer === null ? [] : answer.slice(0, line < 0 ? answer.length : line);
    const lines = [];
    for (const { item, after, why } of steps) {
      const at = above.indexOf(item);
      const late = after.filter((one) => at >= 0 && above.indexOf(one) > at || at >= 0 && !above.includes(one));
      if (at < 0) lines.push([false, `${part.items[item]} is missing`]);
      else if (late.length) lines.push([false, `${part.items[item]} comes too early: “${part.items[late[0]]}” first. ${why}`]);
      else lines.push([true, `${part.items[item]}${why ? `. ${why}` : ""}`]);
    }
    for (const { item, why } of others) if (above.includes(item)) lines.push([false, `${part.items[item]} does not belong: ${why}`]);
    const right = lines.every(([good]) => good);
    return { right, given, truth: right ? "" : steps.map(({ item }) => part.items[item]).join(" → "), why: lines.map(([good, text]) => `${good ? "✓" : "×"} ${text}`).join("\n") };
  }

  function mountCard(host, state) {
    const its = hostModel(state);
    let tries = 0;
    its.send = ({ lock }) => {
      tries += 1;
      const last = tries >= (state.card.chances || 1) || lock.every((one) => one === null);
      its.set("answers", lock);
      its.set("verdict", { ...verdict(state.card, state.truths, lock, last), try: tries });
    };
    host.model = its;
    anonlabCard.render({ model: its, el: host });
  }

  function mountPlayer(host, state) {
    const its = hostModel(state);
    its.on("change:predictions", () => its.set("keeping", KEPT));
    anonlabPlayer.mount({ model: its, el: host });
  }

  // A page of the site has a theme of its own, which may follow the system's.
  function theme() {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const said = document.body.dataset.theme;
    const now = said === "dark" || said === "light" ? said : dark ? "dark" : "light";
    document.body.dataset.jpThemeLight = String(now === "light"); // pictures and players know it from JupyterLab
  }

  theme();
  new MutationObserver(theme).observe(document.body, { attributes: true, attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", theme);

  for (const host of document.querySelectorAll("[data-anonlab]")) {
    const state = JSON.parse(host.querySelector("script").textContent);
    (host.dataset.anonlab === "player" ? mountPlayer : mountCard)(host, state);
    host.classList.add("is-live");
  }

  // A term shows what it means when one points at it or comes to it with the keyboard.
  for (const link of document.querySelectorAll('a[href*="glossary.html#"][title]')) {
    link.classList.add("al-term");
    link.dataset.means = link.title;
    link.setAttribute("aria-description", link.title);
    link.removeAttribute("title");
  }
})();
