// The picture in the page: drawn anew as strings at every step, but only what differs is replaced.

// Return the elements of SVG markup, parsed all at once.
function svgElements(strings) {
  const holder = document.createElement("template");
  holder.innerHTML = `<svg xmlns="http://www.w3.org/2000/svg">${strings.join("")}</svg>`;
  return [...holder.content.firstChild.children];
}

// A list of keyed elements inside `parent`; `known` is Map(key -> {html, node}).
class KeyedList {
  constructor(parent) {
    this.parent = parent;
    this.known = new Map();
  }

  // Show `items` ({key, html}) in this order: keep what is equal, replace, add and remove the rest.
  show(items) {
    const keys = new Set(items.map((item) => item.key));
    for (const [key, {node}] of this.known) {
      if (keys.has(key)) continue;
      node.remove();
      this.known.delete(key);
    }
    const changed = items.filter((item) => (this.known.get(item.key) || {}).html !== item.html);
    const made = changed.length ? svgElements(changed.map((item) => item.html)) : [];
    changed.forEach((item, at) => {
      const before = this.known.get(item.key);
      if (before) before.node.replaceWith(made[at]);
      this.known.set(item.key, {html: item.html, node: made[at]});
    });
    if (changed.length || items.length !== this.count) this.order(items);
    this.count = items.length;
    return changed;
  }

  order(items) {
    let at = this.parent.firstElementChild;
    for (const item of items) {
      const {node} = this.known.get(item.key);
      if (node === at) at = at.nextElementSibling;
      else this.parent.insertBefore(node, at);
    }
  }

  node(key) {
    const found = this.known.get(key);
    return found ? found.node : null;
  }
}

// The picture of one track in `host`. Options are those of drawPicture.
class Picture {
  constructor(host, story, track, prefix) {
    Object.assign(this, {host, story, track, prefix, lists: new Map(), stop: "", drawing: null});
    this.openRuns = new Map();
    this.svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    this.svg.setAttribute("class", "al-picture");
    this.svg.setAttribute("data-part", "picture");
    this.svg.setAttribute("role", "listbox");
    this.groups = new KeyedList(this.svg);
    this.swing = new Swing(this.svg, (key) => this.lists.get("arrows").node(key));
    host.append(this.svg);
  }

  // The height that the story wants at this width, the same at every step.
  need(width, options = {}) {
    measureWith(this.host);
    return heightFor(this.story, this.track, width, options);
  }

  // Draw step `i`. `move`: let arrows come from where they were.
  paint(i, options, {move = false} = {}) {
    if (this.width !== options.width) measureWith(this.host);
    this.width = options.width;
    const hadFocus = this.svg.contains(document.activeElement) ? document.activeElement.dataset.key : "";
    this.swing.finish();
    const all = {openRuns: this.openRuns, ...options, prefix: this.prefix};
    this.drawing = options.big ? drawLecture(this.story, this.track, i, all) : drawPicture(this.story, this.track, i, all);
    this.frame(i, options);
    this.patch(this.drawing.groups);
    this.rove(hadFocus || options.chosen || this.stop);
    if (hadFocus && !this.svg.contains(document.activeElement)) this.focus(this.stop);
    this.swing.take(this.drawing.arrows, move);
    return this.drawing;
  }

  frame(i, options) {
    const {plan} = this.drawing;
    const scale = options.scale || plan.options.scale || 1;
    const height = this.openRuns.size ? Math.max(plan.height, plan.bottom) : plan.height;
    const set = (name, value) => {
      if (this.svg.getAttribute(name) !== String(value)) this.svg.setAttribute(name, value);
    };
    set("width", px(plan.width * scale));
    set("height", px(height * scale));
    set("viewBox", `0 0 ${px(plan.width)} ${px(height)}`);
    set("aria-label", say("picture.name", {step: i}));
    if (options.marks) set("aria-multiselectable", "true");
    else this.svg.removeAttribute("aria-multiselectable");
  }

  patch(groups) {
    this.groups.show(groups.map(({key, open}) => ({key, html: `${open}</g>`}))).forEach(({key}) => this.lists.delete(key));
    for (const {key, parts} of groups) {
      if (!this.lists.has(key)) this.lists.set(key, new KeyedList(this.groups.node(key)));
      this.lists.get(key).show(parts);
    }
    for (const key of this.lists.keys()) if (!this.groups.known.has(key)) this.lists.delete(key);
  }

  // The options, in the order of the document.
  get cells() {
    return [...this.svg.querySelectorAll("[role=option]")];
  }

  // Return the option `key`, null if it is not drawn.
  option(key) {
    return this.cells.find((cell) => cell.dataset.key === key) || null;
  }

  // Make the option `key` the one that Tab reaches, else the first one.
  rove(key) {
    const {cells} = this;
    const stop = cells.find((cell) => cell.dataset.key === key) || cells[0];
    for (const cell of cells) {
      const wanted = cell === stop ? "0" : "-1";
      if (cell.getAttribute("tabindex") !== wanted) cell.setAttribute("tabindex", wanted);
    }
    this.stop = stop ? stop.dataset.key : "";
  }

  focus(key) {
    this.rove(key);
    const cell = this.option(this.stop);
    if (cell) cell.focus({preventScroll: true});
  }

  // Open or close the run `key`; false if it is none. The next paint shows it.
  toggle(key) {
    const thing = this.drawing && this.drawing.things.get(key);
    if (!thing || (thing.kind !== "run" && thing.kind !== "frames")) return false;
    if (!this.openRuns.delete(key)) this.openRuns.set(key, thing);
    return true;
  }

  // Close all runs; true if one was open.
  closeRuns() {
    const any = this.openRuns.size > 0;
    this.openRuns.clear();
    return any;
  }

  remove() {
    this.swing.finish();
    this.svg.remove();
  }
}

// Return the drawing as markup, for a picture that stays as it is.
const pictureMarkup = (drawing) => drawing.groups.map(({open, parts}) => `${open}${parts.map((part) => part.html).join("")}</g>`).join("");
