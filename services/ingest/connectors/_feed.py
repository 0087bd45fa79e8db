"""A feed as its readers think of it, whichever of the formats it is written in."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from services.ingest.payload import read_time
from services.ingest.times import is_representable

MAX_URL_CHARACTERS: Final = 4_000

_URL: Final = re.compile(r"https?://[^\x00-\x20\x7f-\x9f]+", re.IGNORECASE)
_HOST: Final = re.compile(r"https?://(?:[^/?#@]*@)?([^/?#:@]+)", re.IGNORECASE)
_LAST_REVISION: Final = 2**31 - 1


class Writer(NamedTuple):
    """Who wrote an entry: what identifies them best, and their name."""

    id: str
    name: str = ""


class Attachment(NamedTuple):
    """A file beside an entry."""

    url: str
    kind: str
    duration_seconds: int | None = None
    alt_text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry; texts are plain, and what the feed does not say is empty."""

    id: str | None = None
    link: str | None = None
    title: str = ""
    body: str = ""
    writer: Writer | None = None
    published_at: datetime | None = None
    updated_at: datetime | None = None
    language: str | None = None
    attachments: tuple[Attachment, ...] = ()
    views: int | None = None
    answers: str | None = None
    """The id of the entry that this one is a comment on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """What a document says about itself, and its entries."""

    writer: Writer | None
    """Who is named as the author of all entries, else the feed itself."""
    entries: tuple[Entry, ...]
    deleted: tuple[str, ...] = ()
    """The ids of entries that the feed says are gone."""


def url(text: object) -> str | None:
    """An absolute web address; anything else is none."""
    given = text.strip() if isinstance(text, str) else ""
    return given if len(given) <= MAX_URL_CHARACTERS and _URL.fullmatch(given) else None


def host(address: str | None) -> str | None:
    """The host of a web address, in lower case."""
    match = _HOST.match(address or "")
    return match[1].lower() if match else None


def time(text: object) -> datetime | None:
    """A time; one that no revision can be counted by (from 2038 on) is a mistake of its sender."""
    read = read_time(text) if isinstance(text, str) else None
    return read if read and is_representable(read) and read.timestamp() <= _LAST_REVISION else None


def media_kind(mime_type: object, medium: object = None) -> str:
    """What a MIME type or the `medium` of Media RSS says; "file" where neither tells."""
    family = mime_type.partition("/")[0].lower() if isinstance(mime_type, str) else ""
    if mime_type == "application/x-shockwave-flash":
        return "video"  # the player that YouTube's feeds name as the content
    return next((each for each in (family, medium) if each in {"image", "video", "audio"}), "file")
