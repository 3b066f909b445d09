"""Copy on write: who may write to a page in place, as the answer changed over the years.

One file for each era's rule, oldest first; a design says under which it lives (`Rmap.cow_rule`).
"""

from anonlab.kernel.cow.base import CowRule
from anonlab.kernel.cow.by_count import ByCount
from anonlab.kernel.cow.by_mapcount import ByMapcount
from anonlab.kernel.cow.by_refcount_alone import ByRefcountAlone
from anonlab.kernel.cow.exclusive import Exclusive

RULES: dict[str, type[CowRule]] = {
    rule.name: rule for rule in (ByCount, ByMapcount, ByRefcountAlone, Exclusive)
}

__all__ = ["RULES", "ByCount", "ByMapcount", "ByRefcountAlone", "CowRule", "Exclusive"]
