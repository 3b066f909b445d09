"""Live tests need a kernel that shows its pages; where it does not, they are skipped by name."""

from __future__ import annotations

import pytest

from anonlab.formats.recording import FULL
from anonlab.linux.pagemap import access

MAY = access()
needs_full_view = pytest.mark.skipif(
    MAY.view != FULL, reason=f"needs CAP_SYS_ADMIN and a kernel that shows its pages: {MAY.reason}"
)
needs_some_view = pytest.mark.skipif(
    not MAY.view, reason=f"needs Linux with a pagemap that can be read: {MAY.reason}"
)
