// "Download my work" and "Bring my work". Python makes and reads the archive (my_work.py); here it
// goes to the browser's downloads, or comes from a file that the learner chooses.
const TOO_LARGE = 10_000_000; // bytes, packed: Python takes no more unpacked

function render({ model, el }) {
  const said = node("pre", { class: "am-said", role: "status" });
  const download = node("button", { type: "button" }, "Download my work");
  const file = node("input", { type: "file", accept: ".zip,application/zip", hidden: "" });
  const bring = node("button", { type: "button" }, "Bring my work");
  download.addEventListener("click", () => model.send({ wants: "archive" }));
  bring.addEventListener("click", () => file.click());
  file.addEventListener("change", async () => {
    const [chosen] = file.files;
    file.value = ""; // the same file can be chosen again
    if (!chosen) return;
    if (chosen.size > TOO_LARGE) {
      said.textContent = `${chosen.name} has ${chosen.size} bytes, the limit is ${TOO_LARGE}.`;
      return;
    }
    const bytes = new Uint8Array(await chosen.arrayBuffer());
    model.send({ brings: btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")) });
  });
  const heard = (message) => {
    said.textContent = message.said;
    if (!message.archive) return;
    const bytes = Uint8Array.from(atob(message.archive), (letter) => letter.charCodeAt(0));
    const address = URL.createObjectURL(new Blob([bytes], { type: "application/zip" }));
    const link = node("a", { href: address, download: message.name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 60000);
  };
  model.on("msg:custom", heard);
  el.append(
    node("div", { class: "am-work", "data-lm-suppress-shortcuts": "true" },
      node("p", {}, model.get("text")), download, " ", bring, file, said),
  );
  return () => model.off("msg:custom", heard);
}

function node(name, attributes, ...inside) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...inside);
  return made;
}

export default { render };
