"""What Linux's mm/ does: the operations, over ranges of pages."""

from anonlab.kernel.calls import Task
from anonlab.kernel.kernel import Kernel
from anonlab.kernel.views import Page

__all__ = ["Kernel", "Page", "Task"]
