def move_range(words, count, new_vpn, pfns):
    free = list(pfns)[::-1]
    triples = []
    for n, (word, c) in enumerate(zip(words, count), start=new_vpn):
        flags, frame = word & 0xFFF, word >> 12
        if not flags & 1 or not frame:
            triples.append([word, 0, False])
        elif c == 1:
            triples.append([word, n, False])
        else:
            triples.append([free.pop() << 12 | flags, n, True])
    return tuple([t[at] for t in triples] for at in range(3))
