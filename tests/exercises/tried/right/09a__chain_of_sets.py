from collections import defaultdict
class Design:
    """pte_chain: every place is written down."""
    def __init__(self):
        self.chain = defaultdict(set)
    def new_mm(self, mm): ...
    fork_mm = lambda self, child, parent: None
    drop_mm = new_mm
    def add(self, pfn, mm, vpn):
        self.chain[pfn].add((mm, vpn))
    dup = add
    def remove(self, pfn, mm, vpn):
        self.chain[pfn].remove((mm, vpn))
    def must_copy(self, *_):
        return False
    clash = must_copy
    def moved(self, pfn, mm, old, new):
        self.remove(pfn, mm, old)
        self.add(pfn, mm, new)
    def candidates(self, pfn):
        return self.chain.get(pfn, set())
