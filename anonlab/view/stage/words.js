// Sentences: templates of the catalogue (WORDS, put in front of the module) and their arguments.
// The same language as in view/story/words.py:
//   {name}  {name:hex}  {name:address} (a page number)  {name:tag} (a content tag)
//   [page|pages]  one or many by `n`;  [copies:page|pages]  by another argument
//   {?name}…{/name}  kept only if `name` is there and neither "", 0 nor false
const FILL = /\{\?(\w+)\}([^]*?)\{\/\1\}|\[(?:(\w+):)?([^[\]|]*)\|([^[\]|]*)\]|\{(\w+)(?::(\w+))?\}/g;
const SMALL_TAG = [-10000n, 100000n];

function say(key, args = {}) {
  const template = key.split(".").reduce((words, part) => (words || {})[part], WORDS);
  if (typeof template !== "string") throw new Error(`no words for ${key}`);
  return fill(template, args);
}

function fill(template, args) {
  return template.replace(FILL, (_, asked, kept, number, one, many, name, form) => {
    if (asked) return args[asked] && args[asked] !== "0" ? fill(kept, args) : "";
    if (one !== undefined) return fill(Number(args[number || "n"]) === 1 ? one : many, args);
    if (!(name in args)) throw new Error(`${name} is not given for: ${template}`);
    return shown(args[name], form);
  });
}

function shown(value, form) {
  if (form === "hex") return `0x${BigInt(value).toString(16)}`;
  if (form === "address") return addressOfPage(value);
  return form === "tag" ? short(value) : String(value);
}

// Return a content tag as people read it: small ones in decimal, others in hex.
function short(tag) {
  const number = BigInt(tag);
  const small = number > SMALL_TAG[0] && number < SMALL_TAG[1];
  return small ? String(number) : `0x${BigInt.asUintN(64, number).toString(16)}`;
}

// Return the address of page `vpn`, a number of up to 50 bits, without leading zeros.
const addressOfPage = (vpn) => `0x${(BigInt(vpn) * 4096n).toString(16)}`;
