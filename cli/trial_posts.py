"""Posts for trying something out, as lines of JSON: rows, or what `ascolto normalize` prints."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, BinaryIO, Final, NamedTuple
from uuid import UUID

from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.timestamp_pb2 import Timestamp

from ascolto.posts.v1 import post_pb2 as posts
from chassis.clock import utc_now
from contracts.identity import post_name

TENANT: Final = "trial"
_REACH: Final = ("followers", "views", "rating")
_NAMES: Final = {
    "text": str,
    "network": str,
    "kind": str,
    "integration": str,
    "language": str,
    "lang": str,
    "create_time": str,
}


class TrialPost(NamedTuple):
    """A line that is not blank: its number, and its post or what is wrong with it."""

    line: int
    post: posts.Post | str
    heard_at: datetime


def read_posts(source: BinaryIO) -> Iterator[TrialPost]:
    """Every line; a row needs a text and may have the fields that docs/rules.md lists."""
    for number, line in enumerate(source, start=1):
        if line.strip():
            post = _read(line)
            yield TrialPost(number, post, _heard_at(post))


def _read(line: bytes) -> posts.Post | str:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return "this is no JSON"
    if not isinstance(row, dict):
        return "this is no JSON object"
    try:
        return _normalized(row["post"]) if isinstance(row.get("post"), dict) else _of_row(row)
    except (ParseError, TypeError, ValueError) as error:
        return str(error)


def _normalized(post: Mapping[str, Any]) -> posts.Post:
    return ParseDict(dict(post), posts.Post(), ignore_unknown_fields=True)


def _of_row(row: Mapping[str, Any]) -> posts.Post:
    for name, wanted in _NAMES.items():
        if not isinstance(row.get(name), wanted | None):
            raise TypeError(f"{name}: must be text")
    deleted, own = row.get("change") == "deleted", row.get("own") is True
    if not deleted and "text" not in row and "media" not in row:
        raise ValueError("text: must be there")
    post = posts.Post(
        name=post_name(TENANT, UUID(int=0)),
        integration=row.get("integration") or "",
        network=row.get("network") or "",
        kind=_kind(row.get("kind")),
        native_parent_id="parent" if row.get("reply") or row.get("native_parent_id") else None,
        revision=1,
        state=posts.STATE_DELETED if deleted else posts.STATE_LIVE,
        direction=posts.DIRECTION_OWN if own else posts.DIRECTION_INBOUND,
        reach=ParseDict({name: row[name] for name in _REACH if row.get(name) is not None}, posts.Reach()),
    )
    if not deleted:
        language = row.get("language") or row.get("lang")
        post.utterance.CopyFrom(posts.Utterance(text=row.get("text") or "", language_hint=language))
    if row.get("create_time"):
        post.create_time.CopyFrom(_time(row["create_time"]))
    return post


def _time(text: str) -> Timestamp:
    stamp = Timestamp()
    try:
        stamp.FromJsonString(text)
    except ValueError as error:
        raise ValueError("create_time: must be a time such as 2026-11-23T09:00:00Z") from error
    return stamp


def _kind(word: str | None) -> posts.Kind.ValueType:
    if not word:
        return posts.KIND_UNSPECIFIED
    try:
        return posts.Kind.Value(f"KIND_{word.upper()}")
    except ValueError as error:
        known = ", ".join(name.removeprefix("KIND_").lower() for name in posts.Kind.keys()[1:])
        raise ValueError(f"kind: {word!r} is none; there are {known}") from error


def _heard_at(post: posts.Post | str) -> datetime:
    """When a trial post counts as heard: when it was written, as far as that is known."""
    known = not isinstance(post, str) and post.HasField("create_time")
    return post.create_time.ToDatetime(tzinfo=UTC) if known else utc_now()  # type: ignore[union-attr] # known
