"""A post as its source tells it, before we say what it means: the one shape behind every way in."""

from datetime import datetime
from typing import Annotated, Final, Literal, NamedTuple

from msgspec import Meta, Struct

MAX_TEXT_CODE_POINTS: Final = 50_000
MAX_MEDIA: Final = 20
MAX_SPANS: Final = 100

# The first character class is the C0 and C1 control characters: they have no place in an identifier.
_IDENTIFIER = r"\A[^\x00-\x1f\x7f-\x9f]+\Z"

Identifier = Annotated[str, Meta(min_length=1, max_length=512, pattern=_IDENTIFIER)]
Label = Annotated[str, Meta(min_length=1, max_length=512)]
Text = Annotated[str, Meta(max_length=MAX_TEXT_CODE_POINTS)]
Url = Annotated[str, Meta(min_length=1, max_length=4096, pattern=_IDENTIFIER)]
Language = Annotated[str, Meta(max_length=64, pattern=r"\A[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*\Z")]
Network = Annotated[str, Meta(max_length=64, pattern=r"\A[a-z][a-z0-9_]*\Z")]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Offset = Annotated[int, Meta(ge=0, le=MAX_TEXT_CODE_POINTS)]
Seconds = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Revision = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Stars = Annotated[float, Meta(ge=1, le=5)]
Time = Annotated[datetime, Meta(tz=True)]

Change = Literal["created", "edited", "deleted"]
Kind = Literal["public_post", "public_comment", "direct_message", "review", "email", "chat"]
MediaKind = Literal["image", "video", "audio", "file"]
SpanKind = Literal["mention", "hashtag", "link", "quote"]


class RawAuthor(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who wrote it, in the network's own words."""

    id: Identifier
    handle: Label | None = None
    display_name: Label | None = None
    verified: bool | None = None


class RawMedia(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Something attached to a post."""

    kind: MediaKind
    url: Url | None = None
    alt_text: Text | None = None
    duration_seconds: Seconds | None = None
    transcript: Text | None = None


class RawSpan(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of the text with a meaning of its own."""

    kind: SpanKind
    start: Offset
    """In code points of `text`, as it was sent; `end` is exclusive."""
    end: Offset
    target: Label | None = None
    """Whom a mention means, where a link leads."""


class PostFields(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a source says about one post; what it does not say is None."""

    kind: Kind
    native_id: Identifier
    native_thread_id: Identifier | None = None
    """Absent: the post answers its parent's thread, or is the root of its own."""
    native_parent_id: Identifier | None = None
    revision: Revision | None = None
    """2 or more for an edit; a deletion gives the revision it deletes, if known."""
    own: bool = False
    """Written by the brand itself."""
    author: RawAuthor | None = None
    author_unknown: bool = False
    """The source does not say who wrote it; else a post of somebody else needs its author."""
    text: Text | None = None
    language: Language | None = None
    create_time: Time | None = None
    permalink: Url | None = None
    rating: Stars | None = None
    followers: Count | None = None
    views: Count | None = None
    media: Annotated[tuple[RawMedia, ...], Meta(max_length=MAX_MEDIA)] = ()
    spans: Annotated[tuple[RawSpan, ...], Meta(max_length=MAX_SPANS)] = ()


class RawPost(PostFields, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One row of an import, and what every other way in is turned into."""

    network: Network
    change: Change = "created"


class Invalid(NamedTuple):
    """Why a post was not taken."""

    field: str
    """Path such as "author.id" or "data[3].kind"; "" where the whole is meant."""
    description: str
    """For the sender's eyes; it may quote what was sent, so it is never logged."""
