"""Whether a contestant did what it was measured for: every post once, and each key in order."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from chassis.messages import Outgoing, Record

Lane: TypeAlias = tuple[str, bytes | None]
"""A topic and a key: where order is promised."""


class WrongOutput(Exception):  # noqa: N818 - named after what happened
    """A contestant lost, doubled or disordered posts: its speed means nothing."""


def places(posts: Iterable[Outgoing]) -> dict[bytes, int]:
    """Event id -> the place of the post in the input."""
    return {dict(post.headers)["ce_id"]: number for number, post in enumerate(posts)}


def check(written: Sequence[Record], place_of: Mapping[bytes, int], expected: int) -> None:
    """Raise WrongOutput unless `expected` posts came out once each, in the order of the input for each key."""
    causes = [dict(record.headers)["ce_causationid"] for record in written]
    if len(causes) != expected or len(set(causes)) != expected:
        raise WrongOutput(f"{len(causes)} records of {len(set(causes))} posts were written, not {expected}")
    last: dict[Lane, int] = {}
    for record, cause in zip(written, causes, strict=True):
        lane = record.topic, record.key
        if place_of[cause] <= last.get(lane, -1):
            raise WrongOutput(f"a key of {record.topic} is out of order at offset {record.offset}")
        last[lane] = place_of[cause]
