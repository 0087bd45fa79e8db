"""How much memory a piece of work takes at its height, whatever the process took before."""

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def peak_bytes() -> Iterator[Callable[[], int]]:
    """Measure inside the block; what is given answers the most that was taken at once since its beginning."""
    tracemalloc.start()
    try:
        began, _ = tracemalloc.get_traced_memory()
        yield lambda: tracemalloc.get_traced_memory()[1] - began
    finally:
        tracemalloc.stop()
