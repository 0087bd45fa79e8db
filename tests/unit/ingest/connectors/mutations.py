"""Payloads that went wrong: cut short, of wrong types, or garbled at random."""

import copy
import json
import random
from collections.abc import Iterator
from typing import Any, Final

ODD_VALUES: Final[tuple[Any, ...]] = (
    None,
    True,
    0,
    -1,
    2**70,
    1.5,
    1e300,
    "",
    "x",
    "\u202e",
    "9" * 30,
    [],
    {},
    [None],
    {"id": None},
    [[]],
)
_MOST_CUTS: Final = 60


def truncated(payload: bytes) -> Iterator[bytes]:
    """The beginnings of a payload."""
    step = max(1, len(payload) // _MOST_CUTS)
    return (payload[:length] for length in range(0, len(payload), step))


def with_wrong_types(document: Any) -> Iterator[Any]:
    """The document with each of its values, at every depth, replaced by something else."""
    for path in _paths(document):
        for value in ODD_VALUES:
            changed = copy.deepcopy(document)
            yield _replaced(changed, path, value)


def garbled(payloads: list[bytes], chance: random.Random) -> bytes:
    """One payload at random, with something wrong at random: its bytes, its values, its structure."""
    payload = chance.choice(payloads)
    if chance.random() < 0.5:
        return _with_wrong_bytes(payload, chance)
    try:
        document = json.loads(payload)
    except ValueError:
        return _with_wrong_bytes(payload, chance)
    for _ in range(chance.randint(1, 4)):
        document = _replaced(document, chance.choice(_paths(document)), copy.deepcopy(chance.choice(ODD_VALUES)))
    return json.dumps(document).encode()


def _with_wrong_bytes(payload: bytes, chance: random.Random) -> bytes:
    garbled = bytearray(payload or b"x")
    for _ in range(chance.randint(1, 8)):
        place = chance.randrange(len(garbled))
        match chance.randrange(4):
            case 0:
                garbled[place] = chance.randrange(256)
            case 1:
                del garbled[place : place + chance.randint(1, 20)]
            case 2:
                garbled[place:place] = chance.randbytes(chance.randint(1, 20))
            case _:
                start = chance.randrange(len(garbled))
                garbled[place:place] = garbled[start : start + chance.randint(1, 50)]
        garbled = garbled or bytearray(b"x")
    return bytes(garbled)


def _paths(document: Any) -> list[tuple[str | int, ...]]:
    found: list[tuple[str | int, ...]] = [()]
    members = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for name, value in members:
        found += [(name, *path) for path in _paths(value)]
    return found


def _replaced(document: Any, path: tuple[str | int, ...], value: Any) -> Any:
    if not path:
        return value
    place = document
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return document
