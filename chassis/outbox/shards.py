"""Which shard of the outbox a key belongs to: one relay at a time publishes it, so a key's order holds."""

from typing import Final
from zlib import crc32

SHARDS: Final = 16
"""How many shards there are. Rows carry theirs: changing the number needs an empty outbox."""


def shard_of(key: bytes) -> int:
    """Answer the shard of `key`, from 0 to SHARDS - 1, the same in every process."""
    return crc32(key) % SHARDS
