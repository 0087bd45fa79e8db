"""Which partition a key belongs to: the default of the Java client and of aiokafka, so that producers agree.

Unpacking whole words makes it several times faster than aiokafka's own; a property test holds them equal.
"""

import struct
from functools import lru_cache

_MASK = 0xFFFFFFFF
_SEED = 0x9747B28C
_M = 0x5BD1E995


def murmur2(key: bytes) -> int:
    """The 32-bit MurmurHash2 of `key` as Kafka's clients compute it."""
    length = len(key)
    whole = length & ~3
    state = _SEED ^ length
    for word in struct.unpack_from(f"<{length >> 2}I", key):
        mixed = (word * _M) & _MASK
        state = ((state * _M) & _MASK) ^ (((mixed ^ (mixed >> 24)) * _M) & _MASK)
    if whole != length:
        state = ((state ^ int.from_bytes(key[whole:], "little")) * _M) & _MASK
    state = ((state ^ (state >> 13)) * _M) & _MASK
    return state ^ (state >> 15)


@lru_cache(maxsize=32_768)
def partition_for(key: bytes, partitions: int) -> int:
    """The partition of `key` in a topic of `partitions` partitions."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions
