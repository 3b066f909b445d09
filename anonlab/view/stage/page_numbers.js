// Page numbers and addresses: the one place that shifts bits. Page numbers reach 2^50 and addresses
// 2^62; a bit operator on plain numbers keeps 32 bits and a plain number 53, so here all are BigInt.
// Elsewhere an address is text, as in facts: "0x155555000". `fields` are those of address.py, [name,
// high, low]: bits `high` to `low` of an address, one for each level of tables, the byte last.
const PAGE_SHIFT = 12n;

const hex = (number, digits) => `0x${number.toString(16).padStart(digits, "0")}`;

// Return the page number of an address.
const vpnOf = (address) => BigInt(address) >> PAGE_SHIFT;

// Return the address of the first byte of page `vpn` (a BigInt or "0x155555").
const addressOf = (vpn, fields) => hex(BigInt(vpn) << PAGE_SHIFT, Math.ceil((fields[0][1] + 1) / 4));

// Return the slot that `address` chooses in the table at `level`, 0 is the top; below all, the byte.
function slotOf(address, fields, level) {
  const [, high, low] = fields[level];
  return BigInt.asUintN(high - low + 1, BigInt(address) >> BigInt(low));
}

// Return the first address that the table at `level` stands for, where `address` goes through it.
function tableStart(address, fields, level) {
  const below = BigInt(fields[level][1] + 1) - PAGE_SHIFT;
  return addressOf((vpnOf(address) >> below) << below, fields);
}

// Return a number, or its decimal text, as 0x2f.
const hexOf = (number) => hex(BigInt(number), 0);

// Return the address of the first byte of page `vpn`, a number, with at least so many digits.
const firstByte = (vpn, digits = 0) => hex(BigInt(vpn) << PAGE_SHIFT, digits);

// Return a content tag as people read it: small ones in decimal, others in hex of 64 bits.
function short(tag) {
  const number = BigInt(tag);
  return number > -10000n && number < 100000n ? String(number) : hex(BigInt.asUintN(64, number), 0);
}

// Return how much higher one content tag is than another, as a plain number.
const tagStep = (low, high) => Number(BigInt(high) - BigInt(low));
