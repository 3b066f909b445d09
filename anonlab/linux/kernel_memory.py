"""Reading the kernel's own structures: a tiny BPF program that copies bytes, and the types of BTF.

The program is never attached to anything; it is run by request, reads at most 4095 bytes at an
address with bpf_probe_read_kernel, and leaves them in a map that is mapped into our memory. It
cannot write. Needs CAP_BPF and CAP_PERFMON, and no lockdown of confidentiality.

source  include/uapi/linux/bpf.h, Documentation/bpf/btf.rst (v6.18)
"""

from __future__ import annotations

import ctypes
import mmap
import os
import platform
import struct
from pathlib import Path
from typing import NamedTuple

BTF = Path("/sys/kernel/btf/vmlinux")
SYS_BPF = 321
MAP_CREATE, PROG_LOAD, TEST_RUN = 0, 5, 10
SIZE = 4096
_ARRAY, _MMAPABLE, _RAW_TRACEPOINT = 2, 1 << 10, 17
_LOG_BYTES = 1 << 14
_CONTEXT_BYTES = 16


class KernelMemory:
    """The kernel's memory, to be read; a context manager.

    raises  OSError if this process may not, with what the kernel said
    """

    def __init__(self) -> None:
        if platform.machine() != "x86_64":
            raise OSError(f"needs x86-64: this is {platform.machine()}")
        self._libc = ctypes.CDLL(None, use_errno=True)
        attributes = struct.pack("=5I", _ARRAY, 4, SIZE, 1, _MMAPABLE)
        self._map = self._bpf(MAP_CREATE, attributes, "map create")
        try:
            self._bytes = mmap.mmap(self._map, SIZE, mmap.MAP_SHARED, mmap.PROT_READ)
            self._program = self._load()
        except BaseException:
            os.close(self._map)
            raise

    def close(self) -> None:
        """Give everything back."""
        self._bytes.close()
        os.close(self._program)
        os.close(self._map)

    def read(self, addr: int, size: int) -> bytes:
        """Return `size` bytes at `addr`; OSError if it cannot be read."""
        context = ctypes.create_string_buffer(struct.pack("=QQ", addr, size), _CONTEXT_BYTES)
        run = struct.pack(
            "=4I2Q4I2Q3I4x",
            *(self._program, 0, 0, 0, 0, 0, 0, 0),
            *(_CONTEXT_BYTES, 0, ctypes.addressof(context), 0, 0, 0, 0),
        )
        block = ctypes.create_string_buffer(run, len(run))
        self._call(TEST_RUN, block, "test run")
        (status,) = struct.unpack_from("=i", block, 4)
        if status:
            raise OSError(-status, f"kernel memory cannot be read: {os.strerror(-status)}")
        return self._bytes[:size]

    def word(self, addr: int) -> int:
        """Return the 64-bit word at `addr`."""
        return int.from_bytes(self.read(addr, 8), "little")

    def _load(self) -> int:
        """Load the program: probe_read_kernel(map value, context[1] & 0xfff, context[0])."""
        code = b"".join(
            struct.pack("=BBhi", *each)
            for each in (
                (0x79, 0x16, 0, 0),  # r6 = context[0], the address
                (0x79, 0x17, 8, 0),  # r7 = context[1], the size
                (0x57, 0x07, 0, 0xFFF),  # r7 &= 0xfff: a bound that the verifier believes
                (0x62, 0x0A, -4, 0),  # key 0 on the stack
                (0x18, 0x11, 0, self._map),  # r1 = the map
                (0x00, 0x00, 0, 0),
                (0xBF, 0xA2, 0, 0),  # r2 = the key
                (0x07, 0x02, 0, -4),
                (0x85, 0x00, 0, 1),  # map_lookup_elem
                (0x55, 0x00, 1, 0),  # found: go on
                (0x95, 0x00, 0, 0),
                (0xBF, 0x01, 0, 0),  # r1 = the value
                (0xBF, 0x72, 0, 0),  # r2 = the size
                (0xBF, 0x63, 0, 0),  # r3 = the address
                (0x85, 0x00, 0, 113),  # probe_read_kernel
                (0x95, 0x00, 0, 0),
            )
        )
        program = ctypes.create_string_buffer(code, len(code))
        licence = ctypes.create_string_buffer(b"GPL")  # the read function is for GPL programs only
        log = ctypes.create_string_buffer(_LOG_BYTES)
        attributes = struct.pack(
            "=2I2Q2IQ2I",
            *(_RAW_TRACEPOINT, len(code) // 8),
            *(ctypes.addressof(program), ctypes.addressof(licence)),
            *(1, _LOG_BYTES, ctypes.addressof(log), 0, 0),
        )
        try:
            return self._bpf(PROG_LOAD, attributes, "program load")
        except OSError as error:
            said = log.value.decode("utf-8", "replace").strip().splitlines()
            raise OSError(
                error.errno, f"{error.strerror}{': ' + said[-1] if said else ''}"
            ) from None

    def _bpf(self, command: int, attributes: bytes, what: str) -> int:
        block = ctypes.create_string_buffer(attributes, len(attributes))
        return self._call(command, block, what)

    def _call(self, command: int, block: ctypes.Array[ctypes.c_char], what: str) -> int:
        answer: int = self._libc.syscall(SYS_BPF, command, block, len(block))
        if answer < 0:
            number = ctypes.get_errno()
            raise OSError(number, f"bpf {what}: {os.strerror(number)}")
        return answer


class BtfMember(NamedTuple):
    """A member of a structure: byte offset in it, number of its type."""

    offset: int
    kind: int


class BtfTypes:
    """The kernel's types: where each member of a structure is.

    raises  OSError if the kernel has no BTF, ValueError if it cannot be read
    """

    def __init__(self, path: Path = BTF) -> None:
        data = path.read_bytes()
        magic, _, _, head, first, ntypes, strings, nstrings = struct.unpack_from("=HBBIIIII", data)
        if magic != 0xEB9F:
            raise ValueError(f"{path}: no BTF: it begins with {magic:#x}")
        self._types = data[head + first : head + first + ntypes]
        self._strings = data[head + strings : head + strings + nstrings]
        self._at: list[int] = [0]  # type number -> offset
        self._named: dict[int, int] = {}  # offset of a structure's name -> type number
        at, extra = 0, {1: 4, 3: 12, 14: 4, 17: 4}
        each = {4: 12, 5: 12, 6: 8, 13: 8, 15: 12, 19: 12}
        while at < len(self._types):
            name, info = struct.unpack_from("=II", self._types, at)
            kind, nmembers = info >> 24 & 31, info & 0xFFFF
            if kind in (4, 5) and name:
                self._named.setdefault(name, len(self._at))
            self._at.append(at)
            at += 12 + extra.get(kind, 0) + each.get(kind, 0) * nmembers

    def offset(self, structure: str, member: str) -> int:
        """Return the byte offset of a member, looked for in nameless parts as well."""
        found = self._find(self._number(structure), member)
        if found is None:
            raise ValueError(f"struct {structure} has no member {member} on this kernel")
        return found.offset

    def size(self, structure: str) -> int:
        """Return the bytes of a structure."""
        at = self._at[self._number(structure)]
        return int(struct.unpack_from("=I", self._types, at + 8)[0])

    def _number(self, structure: str) -> int:
        want = f"\0{structure}\0".encode()
        at = -1
        while (at := self._strings.find(want, at + 1)) >= 0:
            if at + 1 in self._named:
                return self._named[at + 1]
        raise ValueError(f"there is no struct {structure} on this kernel")

    def _find(self, number: int, member: str) -> BtfMember | None:
        at = self._at[number]
        info = struct.unpack_from("=I", self._types, at + 4)[0]
        bits = 0xFFFFFF if info >> 31 else 0xFFFFFFFF
        for place in range(at + 12, at + 12 + 12 * (info & 0xFFFF), 12):
            name, kind, offset = struct.unpack_from("=III", self._types, place)
            offset = (offset & bits) // 8
            if name and self._string(name) == member:
                return BtfMember(offset, kind)
            if not name and (inner := self._find(self._resolved(kind), member)):
                return BtfMember(offset + inner.offset, inner.kind)
        return None

    def _resolved(self, number: int) -> int:
        """Skip typedef, volatile, const and restrict."""
        while True:
            info, kind = struct.unpack_from("=II", self._types, self._at[number] + 4)
            if not 8 <= (info >> 24 & 31) <= 11:
                return number
            number = kind

    def _string(self, at: int) -> str:
        return self._strings[at : self._strings.index(b"\0", at)].decode()
