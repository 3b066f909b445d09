// Saving the step that is shown, as SVG or PNG. The box hangs below the bar, so the bar stays as high
// as it is; what came of it stands in the box.

const KEEP_URL = 60_000; // ms: slow browsers read a file after the click

class Saver {
  constructor(player) {
    this.player = player;
    const { prefix } = player;
    this.button = control("savestep", say("save.word"), { class: "al-savebutton", tabindex: "-1", title: say("save.name"), "aria-label": say("save.name"), "aria-expanded": "false", "aria-controls": `${prefix}save` });
    this.title = node("p", { class: "al-savetitle", id: `${prefix}saves` });
    this.said = node("p", { class: "al-small", role: "status", "data-part": "saved" });
    const acts = node("div", { class: "al-acts" }, control("svg", say("save.svg")), control("png", say("save.png")), control("endsave", say("save.close")));
    this.element = node("div", { class: "al-save", id: `${prefix}save`, role: "group", "aria-labelledby": `${prefix}saves`, "data-part": "save", hidden: true },
      this.title, acts, this.said);
  }

  // What its buttons do.
  get acts() {
    return { savestep: () => this.toggle(), endsave: () => this.close(), svg: () => this.save("svg"), png: () => this.save("png") };
  }

  get isOpen() {
    return !this.element.hidden;
  }

  toggle() {
    if (this.isOpen) return this.close();
    if (this.player.now.big) return undefined;
    this.element.hidden = false;
    attribute(this.button, "aria-expanded", "true");
    put(this.said, say("save.what"));
    this.paint();
    return this.element.querySelector("button").focus({ preventScroll: true });
  }

  // Close the box; the focus goes back to the button, if that is there.
  close() {
    if (!this.isOpen) return;
    const had = this.element.contains(document.activeElement);
    this.element.hidden = true;
    attribute(this.button, "aria-expanded", "false");
    const { buttons } = this.player.bar;
    if (had) (this.button.offsetParent ? this.button : buttons.next).focus({ preventScroll: true });
  }

  // Up and down go from button to button; all of them are stops of Tab, too.
  move(target, way) {
    const all = [...this.element.querySelectorAll("button")];
    const at = all.indexOf(target.closest("button")) + way;
    all[(at + all.length) % all.length].focus({ preventScroll: true });
  }

  paint() {
    if (this.isOpen) put(this.title, say("save.title", { i: this.player.now.i }));
  }

  // Save the step as "svg" or "png"; what went wrong is said, and what to do then.
  async save(kind) {
    const file = pictureFile(this.player);
    const name = `${file.name}.${kind}`;
    try {
      const made = kind === "png" ? await pixelsOf(file) : new Blob([file.svg], { type: "image/svg+xml;charset=utf-8" });
      download(made, name);
      put(this.said, say("save.done", { name }));
    } catch (error) {
      put(this.said, say(kind === "png" ? "save.nopixels" : "save.failed", { error: error.message || String(error) }));
    }
  }
}

function download(made, name) {
  const address = URL.createObjectURL(made);
  node("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), KEEP_URL);
}
