"""Servers of the bench's own: what others left in a shared Kafka or PostgreSQL would be measured with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.settings import ExternalServers
from local.stack import Stack


@contextmanager
def fresh_stack(folder: Path, *, postgres: bool = True) -> Iterator[Stack]:
    """An empty stack for the length of a block, whatever the environment names."""
    stack = Stack(folder, postgres=postgres, external=ExternalServers())
    stack.start()
    try:
        yield stack
    finally:
        stack.stop()
