"""Known wrong answers of lab 1: (what the message says, replaced text, its replacement)."""

WRONG = (
    (
        "Did a read take a page of its own?",
        "        words = self.words[who]\n        return [self.value",
        "        words = self.words[who]\n        self._touch(who, vpns)\n        return [self.value",
    ),
    (
        "Did you ask whether every page of the range is mapped?",
        '        if not self.mapped[who].issuperset(vpns):\n            return "SIGSEGV"\n        words = self.words[who]\n',
        "        words = self.words[who]\n",
    ),
    (
        "Did you clear the words of what is unmapped?",
        "            self._unmap(who, at)\n            self.mapped[who].discard(at)\n",
        "            self.mapped[who].discard(at)\n",
    ),
    ("Did you write into the zero page?", "words.get(at, 0) >> 12 == 0 or", "at not in words or"),
    (
        "Did you switch WRITE off on both sides?",
        "                words[at] &= ~WRITE\n                self._map(child, at, words[at])\n",
        "                self._map(child, at, words[at] & ~WRITE)\n",
    ),
    (
        "Did you copy at fork?",
        "held = [at for at in words if self.held[words[at] >> 12]]",
        "held = [at for at in words if words[at] >> 12]",
    ),
    (
        "Did you count who maps the frame?",
        " or self._is_shared(words[at])]\n",
        "]\n",
    ),
    (
        "How many may have one frame?",
        "        return self.maps[pfn] + self.held[pfn] > 1\n",
        "        return (self.maps[pfn] + self.held[pfn]) % 256 > 1\n",
    ),
    (
        "The handler mends it.",
        "        todo = [at for at in vpns if not words.get(at, 0) & WRITE]\n",
        '        if any(words.get(at, WRITE) >> 12 and not words[at] & WRITE for at in vpns):\n            return "SIGSEGV"\n        todo = [at for at in vpns if not words.get(at, 0) & WRITE]\n',
    ),
    (
        "Did you drop the group with its last member?",
        "        if not self.groups[group]:\n            del self.groups[group]\n",
        "",
    ),
    (
        "Did you take a frame out when its last mapping went?",
        "            if self.maps[pfn] == 0:\n                del self.home[pfn]\n",
        "            if pfn and self.maps[pfn] == 0:\n                self.home[pfn] = self.home[pfn]\n",
    ),
    (
        "Whose write is that?",
        "        self.value[pfn] = self.value[word >> 12]\n",
        "        self.value[pfn] = 0\n",
    ),
    (
        "Did you give back every frame that nobody has any more, pins too?",
        "        for at in list(self.words[who]):\n            self._unmap(who, at)\n",
        "",
    ),
    (
        "Did you give a frame back that somebody still has",
        "        if self.maps[pfn] + self.held[pfn] == 0:\n",
        "        if self.maps[pfn] == 0:\n",
    ),
    (
        "Did you move a shared page?",
        "shared = [at for at in vpns if self._is_shared(words.get(at, 0))]",
        "shared = []",
    ),
    (
        "Did you compare the two ranges?",
        '        if abs(shift) < npages:\n            return "EINVAL"\n',
        "",
    ),
    (
        "Did you give the moved pages their new page number?",
        "                self.home[word >> 12] = self.group_of[who], at + shift\n",
        "                pass\n",
    ),
    (
        "Did the child join the group of its parent?",
        "        self._join(child, self.group_of[who])\n",
        "        self.spawn(child)\n",
    ),
    (
        "Did you leave the group at exit?",
        "        self.groups[group].remove(who)\n",
        "",
    ),
    (
        "Is somebody in a group who left it by exit or execve?",
        "        self.spawn(who)\n        self.mmap(who, vpn, 1)\n",
        "        self._join(who, min(self.groups, default=0)) if self.groups else self.spawn(who)\n        self.mmap(who, vpn, 1)\n",
    ),
    (
        "Did you copy for a writer who is alone with the frame?",
        " or self._is_shared(words[at])]\n",
        " or len(self.unused) > 8 or self._is_shared(words[at])]\n",
    ),
    (
        "Did you give the old memory back first?",
        '        if not self.unused:\n            return "ENOMEM"\n        self.exit(who)\n',
        "        self.exit(who)\n",
    ),
    (
        "Did you count the copies of pages that devices hold?",
        '        if len(held) > len(self.unused):\n            return "ENOMEM"\n',
        "        held = held[: len(self.unused)]\n",
    ),
    (
        "Did you count what a call needs before it changes anything?",
        '        if len(new) > len(self.unused):\n            return "ENOMEM"\n        for at in todo:\n            if at in new:\n                self._copy(who',
        '        for at in todo:\n            if at in new:\n                if not self.unused:\n                    return "ENOMEM"\n                self._copy(who',
    ),
    (
        "Did you count the copies before anything moves?",
        '        if len(shared) > len(self.unused):\n            return "ENOMEM"\n        self.mmap(who, new, npages)\n',
        '        self.mmap(who, new, npages)\n        if len(shared) > len(self.unused):\n            return "ENOMEM"\n',
    ),
    (
        "Does a device hold the page?",
        "held = [at for at in words if self.held[words[at] >> 12]]",
        "held = []",
    ),
    ("fails on the right machine", "free() == 1\n", "free() == 0\n"),
    ("there is no call", "free() == 1\n", "frames() == 1\n"),
    ("your tests notice", '        execve("p", 0x20, 5)\n        looks("p", 0x20) == 1\n', ""),
)
