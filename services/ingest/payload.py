"""What a network sent, read without trust: every question has an answer, and a value of a wrong type is absent.

Networks change types without notice (ids as numbers, booleans as words, an object where a list was), and a payload
that is odd in one field must not cost the post.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

import msgspec

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ZONE_WITHOUT_COLON: Final = re.compile(r"([+-]\d{2})(\d{2})\Z")
_FRACTION: Final = re.compile(r"\.(\d+)")
_MAX_SECONDS: Final = 10**11
_TRUE, _FALSE = frozenset({"true", "1", "yes"}), frozenset({"false", "0", "no"})


def read_json(data: bytes) -> "Node | None":
    """Read a JSON document of any shape; None where it is none."""
    try:
        return Node(msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf")))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


class Node:
    """A place in a document, which may hold anything or nothing; nothing that is asked of it raises."""

    __slots__ = ("value",)

    def __init__(self, value: Any = None) -> None:  # noqa: ANN401 - it may be anything
        self.value = value

    def __getitem__(self, name: str | int) -> "Node":
        """The member of that name or position; an absent one where there is none."""
        value = self.value
        if isinstance(name, str):
            return Node(value.get(name)) if isinstance(value, dict) else ABSENT
        return Node(value[name]) if isinstance(value, list) and -len(value) <= name < len(value) else ABSENT

    def at(self, *path: str | int) -> "Node":
        """The place at the end of a path."""
        node = self
        for name in path:
            node = node[name]
        return node

    def __contains__(self, name: object) -> bool:
        """Whether an object has a member of that name, be it null."""
        return isinstance(self.value, dict) and name in self.value

    def __iter__(self) -> Iterator["Node"]:
        """The elements of a list; none of anything else."""
        return iter([Node(each) for each in self.value] if isinstance(self.value, list) else [])

    def members(self) -> Iterator[tuple[str, "Node"]]:
        """The names and values of an object; none of anything else."""
        return iter([(name, Node(each)) for name, each in self.value.items()] if isinstance(self.value, dict) else [])

    def __bool__(self) -> bool:
        """Whether there is anything: null, an empty text, list or object are nothing; 0 and false are something."""
        return self.value is not None and self.value not in ("", [], {})

    def is_object(self) -> bool:
        """Whether it is a JSON object."""
        return isinstance(self.value, dict)

    def is_list(self) -> bool:
        """Whether it is a JSON list."""
        return isinstance(self.value, list)

    def text(self) -> str | None:
        """A text that is not empty."""
        return self.value if isinstance(self.value, str) and self.value else None

    def id(self) -> str | None:
        """An identifier: a text, or a whole number as some networks write them."""
        value = self.value
        if isinstance(value, str):
            return value.strip() or None
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else None

    def integer(self) -> int | None:
        """A whole number, also where it is written as text."""
        value = self.value
        if isinstance(value, bool):
            return None
        if isinstance(value, int):
            return value
        if isinstance(value, float):
            return int(value) if value.is_integer() else None
        plain = value.strip() if isinstance(value, str) else ""
        return int(plain) if re.fullmatch(r"-?[0-9]{1,19}", plain) else None

    def number(self) -> float | None:
        """A number, also where it is written as text."""
        value = self.value
        if isinstance(value, bool):
            return None
        if isinstance(value, int | float):
            return _float(value)
        plain = value.strip() if isinstance(value, str) else ""
        return float(plain) if re.fullmatch(r"-?[0-9]{1,18}(\.[0-9]{1,18})?", plain) else None

    def flag(self) -> bool | None:
        """True or false, also where it is written as a word or a digit."""
        value = self.value
        if isinstance(value, bool):
            return value
        word = value.strip().lower() if isinstance(value, str) else str(value) if isinstance(value, int) else ""
        return True if word in _TRUE else False if word in _FALSE else None

    def time(self) -> datetime | None:
        """An RFC 3339 time (also with a zone of four digits, or none, which means UTC), or one of an e-mail."""
        text = self.text()
        return read_time(text) if text else None

    def seconds(self) -> datetime | None:
        """Seconds since 1970, whole or not, as a number or as text."""
        return _since_epoch(self.number(), 1)

    def milliseconds(self) -> datetime | None:
        """Milliseconds since 1970."""
        return _since_epoch(self.number(), 1_000)

    def microseconds(self) -> datetime | None:
        """Microseconds since 1970."""
        return _since_epoch(self.number(), 1_000_000)


ABSENT: Final = Node()


def read_time(text: str) -> datetime | None:
    """Read a time as networks write it; None where it is none."""
    plain = _ZONE_WITHOUT_COLON.sub(r"\1:\2", _FRACTION.sub(_micros, text.strip(), count=1))
    try:
        time = datetime.fromisoformat(plain)
    except ValueError:
        return _mail_time(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _mail_time(text: str) -> datetime | None:
    try:
        time = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _micros(match: "re.Match[str]") -> str:
    return f".{match[1][:6].ljust(6, '0')}"


def _since_epoch(number: float | None, per_second: int) -> datetime | None:
    if number is None or not abs(number) < _MAX_SECONDS * per_second:
        return None
    try:
        return _EPOCH + timedelta(microseconds=round(number * (1_000_000 // per_second)))
    except OverflowError:
        return None


def _float(value: float) -> float | None:
    try:
        return float(value)
    except OverflowError:
        return None
