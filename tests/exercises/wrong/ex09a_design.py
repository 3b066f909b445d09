"""Known wrong answers of exercise 09a: (what the message says, replaced text, its replacement)."""

WRONG = (
    (
        "forget what fork does",
        "        self.group_of[child] = self.group_of[parent]\n        self.group_of[child].append(child)\n",
        "        self.group_of[child] = [child]\n",
    ),
    (
        "keep an address space after drop_mm",
        "        self.group_of.pop(mm).remove(mm)\n",
        "        self.group_of.pop(mm)\n",
    ),
    ("forget to follow mremap", "        self.pages[pfn][1] = new\n", "        pass\n"),
    ("forget to follow mremap", "return self.pages[pfn][2] > 1", "return False"),
    ("come back from swap", "return self.pages[pfn][1] != vpn", "return False"),
    ("Did clash say True", "return self.pages[pfn][1] != vpn", "return True"),
    (
        "something else than a list",
        "return [(mm, vpn) for mm in group]",
        "return {mm: vpn for mm in group}",
    ),
    (
        "name addresses at which the page has never been",
        "return [(mm, vpn) for mm in group]",
        "return [(mm, at) for mm in group for at in range(vpn, vpn + 4)]",
    ),
)
