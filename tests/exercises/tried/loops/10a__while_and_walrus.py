PRESENT, FILE, EXCLUSIVE = 63, 61, 56
def decode(word):
    bit = lambda number: word >> number & 1 == 1
    state = "page" if bit(PRESENT) else "swap" if bit(62) else "none"
    entry = word % (1 << 55)
    return {"state": state, "exclusive": bit(EXCLUSIVE), "file": bit(FILE), "soft_dirty": bit(55),
            "pfn": entry if state == "page" else None, "device": entry % 32 if state == "swap" else None,
            "slot": entry // 32 if state == "swap" else None}
def shared(words):
    at, found, words = -1, [], words.tolist()
    while (at := at + 1) < len(words):
        if words[at] >> 56 & 0b10100001 == 0b10000000: found.append(at)
    return found
