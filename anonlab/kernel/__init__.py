"""What Linux's mm/ does: the operations, over ranges of pages."""

from anonlab.kernel.kernel import Kernel
from anonlab.kernel.task import Task
from anonlab.kernel.views import Page

__all__ = ["Kernel", "Page", "Task"]
