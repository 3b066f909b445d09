import numpy as np
def share_page(word):
    here = word % 2
    parent = word - here * (word & 2)
    return parent, parent - here * (parent & 32)
def share_range(words):
    return np.stack(share_page(words))
