import ctypes
import numpy as np
class Page(ctypes.LittleEndianStructure):
    _fields_ = [("pfn", ctypes.c_uint64, 55), ("soft", ctypes.c_uint64, 1), ("exclusive", ctypes.c_uint64, 1),
                ("", ctypes.c_uint64, 4), ("file", ctypes.c_uint64, 1), ("swap", ctypes.c_uint64, 1),
                ("present", ctypes.c_uint64, 1)]
def decode(word):
    page = Page.from_buffer_copy(word.to_bytes(8, "little"))
    state = ("none", "swap", "page", "page")[page.present * 2 + page.swap]
    return dict(state=state, pfn=page.pfn if state == "page" else None,
                device=page.pfn % 32 if state == "swap" else None, slot=page.pfn // 32 if state == "swap" else None,
                exclusive=bool(state == "page" and page.exclusive), file=page.file == 1, soft_dirty=page.soft == 1)
def shared(words):
    top = (words >> np.uint64(56)).astype(np.uint8)
    return np.arange(len(words))[top & 0b1010_0001 == 0b1000_0000].tolist()
