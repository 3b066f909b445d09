// A moment as the facts of anonlab.view.story.facts: lists of strings, one for each thing.
function factsOf(story, moment) {
  const text = (values) => values.map(String);
  const out = [["machine", story.designs[0], story.machine || `${story.levels}x${story.bits}`, moment.frames.size, story.nframes, story.nswap]];
  for (const p of moment.processes) out.push(["process", p.name, p.pid, p.parent, p.mm, p.program]);
  for (const [mm, space] of moment.spaces) {
    out.push(["mm", mm, space.pgd, space.home, ...space.names]);
    for (const v of space.vmas) {
      out.push(["vma", mm, story.address(v.start), v.end - v.start, v.prot, v.shared ? "shared" : "private", v.file, v.pgoff,
        v.locked ? "locked" : "-", v.growsdown ? "growsdown" : "-"]);
    }
    for (const [level, rows] of space.tables) {
      for (const [prefix, row] of rows) {
        const start = story.address(prefix * 2 ** (story.bits * (story.levels - level)));
        out.push(level === story.levels - 1 ? ["table", mm, start, row] : ["upper", mm, level, start, row]);
      }
    }
    for (const e of moment.entriesOf(mm)) {
      const where = ["pte", mm, story.address(e.vpn)];
      out.push(e.present ? [...where, "frame", e.pfn, e.letters] : [...where, "swap", e.slot]);
    }
  }
  for (const f of moment.frames.values()) out.push(["frame", f.pfn, f.count, f.mapcount, `0x${f.index.toString(16)}`, f.owner, f.data, flagNames(f.flags), f.private]);
  for (const s of moment.slots.values()) out.push(["slot", s.slot, s.count, s.data, s.pfn]);
  for (const f of moment.files) {
    out.push(["file", f.name, f.mapping, f.npages, f.shmem ? "shmem" : "-"]);
    for (const [pgoff, pfn] of f.cached) out.push(["cached", f.name, pgoff, pfn]);
  }
  for (const n of moment.nodes) out.push(["node", n.id, n.kind, n.label, ...n.facts.map(([name, value]) => `${name}=${value}`)]);
  for (const e of moment.edges) out.push(["edge", e.tail, e.head, e.kind]);
  moment.cost.forEach((count, at) => out.push(["cost", story.counters[at], count]));
  for (const w of moment.walks.values()) {
    const probes = w.probes.map((p) => `${p.mm} ${story.address(p.vpn)} ${p.hit ? "hit" : "miss"} ${p.nodes}`);
    out.push(["walk", w.pfn, w.via, w.nodes, w.locks, ...probes]);
  }
  return out.map(text);
}

// PAGE_FLAGS, [[bit, name]], is put in front by the test.
const flagNames = (flags) => PAGE_FLAGS.filter(([bit]) => Math.floor(flags / bit) % 2).map(([, name]) => name).join(" ");
