class Design:
    def __init__(self):
        self.group, self.page, self.n = {}, {}, {}
    def new_mm(self, mm):
        self.group[mm] = {mm: True}
    def fork_mm(self, child, parent):
        self.group[child] = self.group[parent]
        self.group[child][child] = True
    def drop_mm(self, mm):
        del self.group.pop(mm)[mm]
    def add(self, pfn, mm, vpn):
        if self.n.get(pfn, 0) == 0:
            self.page[pfn] = [self.group[mm], vpn]
        self.n[pfn] = self.n.get(pfn, 0) + 1
    def dup(self, pfn, mm, vpn):
        self.n[pfn] += 1
    def remove(self, pfn, mm, vpn):
        self.n[pfn] -= 1
    def must_copy(self, pfn, mm, vpn):
        return False
    def moved(self, pfn, mm, old, new):
        self.page[pfn][1] = new
    def clash(self, pfn, mm, vpn):
        return vpn != self.page[pfn][1]
    def candidates(self, pfn):
        if not self.n.get(pfn):
            return []
        group, vpn = self.page[pfn]
        return [(mm, vpn) for mm in group]
