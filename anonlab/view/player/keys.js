// The keyboard. Left and right step everywhere but in the picture, where arrows move between things;
// no letter ever reaches the notebook, whose command mode would act on it.

const TOWARDS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

class Keys {
  constructor(player) {
    this.player = player;
    player.root.addEventListener("keydown", (event) => this.down(event));
    this.onPage = (event) => event.target === document.body && this.down(event);
    if (onPage()) document.addEventListener("keydown", this.onPage);
  }

  remove() {
    document.removeEventListener("keydown", this.onPage);
  }

  down(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key.length === 1 || event.key === "Enter") event.stopPropagation();
    if (event.defaultPrevented) return;
    const target = event.target;
    if (this.typing(target, event.key)) return event.stopPropagation();
    const act = this.inside(target, event.key) || this.everywhere(event.key);
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  // Inputs keep their keys; only Escape leaves them.
  typing(target, key) {
    return target.matches("input:not([type=range]), select, textarea") && key !== "Escape";
  }

  // What a key does in the part of the player that has the focus.
  inside(target, key) {
    const option = target.closest("[role=option]");
    if (option) return this.inPicture(option, key);
    const way = { ArrowUp: -1, ArrowDown: 1, ArrowLeft: -1, ArrowRight: 1 }[key];
    const upright = key === "ArrowUp" || key === "ArrowDown";
    if (target.closest(".al-tools") && upright) return () => this.step([...target.closest(".al-tools").querySelectorAll("button, input")], target, way);
    if (target.closest(".al-save") && upright) return () => this.player.saver.move(target, way);
    if (target.closest(".al-tabs") && way && !upright) return () => this.step([...target.closest(".al-tabs").querySelectorAll("[role=tab]")], target, way);
    if (target.dataset.line && upright) return () => this.step([...this.player.root.querySelectorAll("[data-line]")], target, way, false);
    if (target.closest(".al-panel, .al-card") && (upright || key === "Home" || key === "End")) return () => this.scroll(target, key);
    return null;
  }

  inPicture(option, key) {
    if (key === "Enter" || key === " ") return () => this.player.choose(option.dataset.key);
    if (!TOWARDS[key]) return null;
    return () => {
      const next = nearest(option, TOWARDS[key]);
      const picture = this.player.stage.pictures.find(({ svg }) => svg.contains(option));
      if (next && picture) picture.focus(next.dataset.key);
    };
  }

  step(all, target, way, around = true) {
    const at = all.indexOf(target.closest("button, input")) + way;
    const next = around ? all[(at + all.length) % all.length] : all[at];
    if (next) rove(all, next);
  }

  scroll(target, key) {
    const box = target.closest(".al-panel, .al-card");
    const by = { ArrowUp: -48, ArrowDown: 48, Home: -1e6, End: 1e6 }[key];
    box.scrollTop += by;
  }

  everywhere(key) {
    const { player } = this;
    const { now } = player;
    const go = (to) => () => {
      player.stop();
      player.go(to());
    };
    const acts = {
      ArrowRight: go(() => now.i + 1), ArrowLeft: go(() => now.i - 1), n: go(() => now.i + 1), p: go(() => now.i - 1),
      Home: go(() => 0), End: go(() => player.story.last), f: () => player.setBig(!now.big), Escape: () => this.back(), w: () => player.tabs.act("probe"), s: () => player.saver.toggle(),
      ...(now.big ? { PageDown: go(() => now.i + 1), PageUp: go(() => now.i - 1), b: () => this.blank(), ".": () => this.blank() } : {}),
    };
    return acts[key.length === 1 ? key.toLowerCase() : key];
  }

  // A black screen, while people should look at the speaker.
  blank() {
    this.player.now.blank = !this.player.now.blank;
    this.player.paint(false);
  }

  // Escape: close the box for saving, else out of lecture mode, else let go of what is chosen, else close the tab.
  back() {
    const { player } = this;
    const { now } = player;
    if (player.saver.isOpen) return player.saver.close();
    if (now.big) return player.setBig(false);
    if (now.judged) return player.closeReveal();
    if (now.chosen && now.asked < 0) return player.choose(now.chosen);
    if (now.tab) return player.setTab(now.tab);
    return undefined;
  }
}

// Return the option nearest to `option` in the direction [x, y], null if there is none.
function nearest(option, [x, y]) {
  const middle = (one) => {
    const box = one.getBoundingClientRect();
    return [box.x + box.width / 2, box.y + box.height / 2];
  };
  const [left, top] = middle(option);
  let best = null;
  let least = Infinity;
  for (const one of option.closest("svg").querySelectorAll("[role=option]")) {
    if (one === option) continue;
    const [there, down] = middle(one);
    const along = (there - left) * x + (down - top) * y;
    const aside = Math.abs((there - left) * y) + Math.abs((down - top) * x);
    if (along > 4 && along + aside * 2.5 < least) {
      least = along + aside * 2.5;
      best = one;
    }
  }
  return best;
}
