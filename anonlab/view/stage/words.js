// Sentences: templates of the catalogue (WORDS, {key: template}, put in front of the module by
// story/words.py) and their arguments. formats/templates.py tells the language and fills templates in
// Python. PLURAL has a digit for each number: which form is right for it.
const FILL = /\{\?(\w+)\}([^]*?)\{\/\1\}|\[(?:(\w+):)?([^[\]|]*\|[^[\]]*)\]|\{(\w+)(?::(\w+))?\}/g;

function say(key, args = {}) {
  if (!(key in WORDS)) throw new Error(`no words for ${key}`);
  return fill(WORDS[key], args);
}

function fill(template, args) {
  return template.replace(FILL, (_, asked, kept, number, forms, name, form) => {
    if (asked) return args[asked] && args[asked] !== "0" ? fill(kept, args) : "";
    if (forms !== undefined) return fill(rightForm(forms.split("|"), Number(args[number || "n"])), args);
    if (!(name in args)) throw new Error(`${name} is not given for: ${template}`);
    return shown(args[name], form, args);
  });
}

// The form of a language that is right for `n`; beyond the list the last two digits decide.
function rightForm(forms, n) {
  const at = PLURAL[n < PLURAL.length ? n : 100 + (n % 100)] ?? PLURAL[2];
  return forms[Math.min(at, forms.length - 1)];
}

function shown(value, form, args) {
  if (form === "hex") return hexOf(value);
  if (form === "address") return firstByte(value, args.digits);
  return form === "tag" ? short(value) : String(value);
}

// A whole number as people write it: 11,000.
const grouped = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, WORDS["language.thousands"]);
