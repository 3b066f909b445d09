import numpy as np
from enum import StrEnum
class State(StrEnum):
    PAGE = "page"
    SWAP = "swap"
    NONE = "none"
def bits(words):
    return np.unpackbits(words.astype("<u8").view(np.uint8).reshape(-1, 8), axis=1, bitorder="little")
def number(row):
    return sum(int(bit) << at for at, bit in enumerate(row))
def decode(word):
    row = bits(np.array([word], dtype=np.uint64))[0]
    state = State.PAGE if row[63] else State.SWAP if row[62] else State.NONE
    flags = {"exclusive": row[56] and state == State.PAGE, "file": row[61], "soft_dirty": row[55]}
    return {"slot": number(row[5:55]) if state is State.SWAP else None,
            "device": number(row[:5]) if state is State.SWAP else None,
            "pfn": number(row[:55]) if state is State.PAGE else None,
            **{name: bool(value) for name, value in flags.items()}, "state": state}
def shared(words):
    row = bits(words).T.astype(bool)
    return np.nonzero(row[63] & ~row[61] & ~row[56])[0]
