// Sentences: templates of the catalogue view/story/words.json (WORDS, {key: template}, put in front of
// the module by export.py) and their arguments. formats/templates.py tells the language and fills
// templates in Python.
const FILL = /\{\?(\w+)\}([^]*?)\{\/\1\}|\[(?:(\w+):)?([^[\]|]*)\|([^[\]|]*)\]|\{(\w+)(?::(\w+))?\}/g;

function say(key, args = {}) {
  if (!(key in WORDS)) throw new Error(`no words for ${key}`);
  return fill(WORDS[key], args);
}

function fill(template, args) {
  return template.replace(FILL, (_, asked, kept, number, one, many, name, form) => {
    if (asked) return args[asked] && args[asked] !== "0" ? fill(kept, args) : "";
    if (one !== undefined) return fill(Number(args[number || "n"]) === 1 ? one : many, args);
    if (!(name in args)) throw new Error(`${name} is not given for: ${template}`);
    return shown(args[name], form, args);
  });
}

function shown(value, form, args) {
  if (form === "hex") return hexOf(value);
  if (form === "address") return firstByte(value, args.digits);
  return form === "tag" ? short(value) : String(value);
}
