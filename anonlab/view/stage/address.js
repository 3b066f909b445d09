// How an address is split, in the words of address.py, told from the facts of one lane.

// Return for every field of `address`: its bits, its slot, the row of its table ("" if there is
// no such table) and where the slot leads; null if there is no such address space.
function wayOf(fields, told, mm, address) {
  const levels = fields.length - 1;
  const find = (kind, ...words) => told.find((fact) => fact[0] === kind && fact[1] === mm && words.every((word, at) => fact[at + 2] === word));
  const space = find("mm");
  if (!space) return null;
  const rows = [space[2]];
  for (let level = 1; level < levels; level += 1) {
    const start = tableStart(address, fields, level);
    const fact = level < levels - 1 ? find("upper", String(level), start) : find("table", start);
    rows.push(fact ? fact[fact.length - 1] : "");
  }
  const entry = find("pte", addressOf(vpnOf(address), fields));
  const leads = [...rows.slice(1).map((row) => row && `row ${row}`), endOf(entry)];
  return fields.map(([, high, low], at) => {
    const part = slotOf(address, fields, at);
    const last = at === levels;
    return { bits: part.toString(2).padStart(high - low + 1, "0"), slot: last ? "" : part.toString(16), row: last ? "" : rows[at], leads: last ? "" : leads[at] };
  });
}

function endOf(entry) {
  if (!entry) return "";
  return entry[3] === "swap" ? `swap slot ${entry[4]}` : `frame ${entry[4]}, ${entry[5].includes("W") ? "writable" : "read-only"}`;
}

function sentencesOf(fields, way) {
  return fields.map(([name, high, low], at) => {
    const { bits, slot, row, leads } = way[at];
    const head = `Bits ${high} to ${low} are ${bits}`;
    if (at === fields.length - 1) return `${head}: the byte in the page.`;
    if (!row) return `${head}: slot ${slot} of a ${name} that is not there.`;
    return `${head}: slot ${slot} of the ${name} in row ${row} ${leads ? `leads to ${leads}` : "is empty"}.`;
  });
}

// Return {cell: [look, texts, name]} of the address panel.
function addressStates(fields, way, said, title) {
  const out = { address: ["on", ["how an address is split", title], ""] };
  const last = fields.length - 1;
  way.forEach(({ bits, slot, row }, at) => {
    if (at === last) return;
    out[`address-bits-${at}`] = ["used", [bits, slot], said[at]];
    out[`address-table-${at}`] = [row ? "used" : "void", row ? [`row ${row}`, `slot ${slot}`] : ["no table"], said[at]];
  });
  const { leads } = way[last - 1];
  const end = leads ? leads.split(", ") : ["no page"];
  out[`address-bits-${last}`] = ["byte", [way[last].bits], said[last]];
  out[`address-table-${last}`] = [leads ? "used" : "void", end, end.join(", ")];
  return out;
}
