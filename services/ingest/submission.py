"""Between the raw post and its form on the wire of `IngestService`: both ways, for the server and for importers."""

from datetime import UTC, datetime
from typing import Any, Final

from ascolto.ingest.v1.ingest_service_pb2 import SubmittedAuthor, SubmittedPost
from ascolto.posts.v1 import post_pb2 as posts
from services.ingest.decoding import convert
from services.ingest.rawpost import Invalid, RawAuthor, RawMedia, RawPost, RawSpan
from services.ingest.times import OUT_OF_RANGE, timestamp

_CHANGE_PREFIX: Final = "CHANGE_"
_KIND_PREFIX: Final = "KIND_"
_OPTIONAL: Final = (
    "native_parent_id",
    "native_thread_id",
    "revision",
    "text",
    "permalink",
    "language",
)
_REACH: Final = ("followers", "views", "rating")
_MEDIA: Final = ("url", "alt_text", "duration_seconds", "transcript")
_SPAN: Final = ("target",)
_AUTHOR: Final = ("handle", "display_name", "verified")


def from_submitted(submitted: SubmittedPost) -> RawPost | Invalid:
    """Read a post from the wire by the same rules as any other."""
    create_time = _create_time(submitted)
    if isinstance(create_time, Invalid):
        return create_time
    fields: dict[str, Any] = {
        "network": submitted.network,
        "change": _word(posts.PostReceived.Change, submitted.change, _CHANGE_PREFIX) or "created",
        "kind": _word(posts.Kind, submitted.kind, _KIND_PREFIX),
        "native_id": submitted.native_id,
        "own": submitted.own,
        "author_unknown": submitted.author_unknown,
        "create_time": create_time,
        "media": [
            {"kind": _word(posts.Media.Kind, media.kind, _KIND_PREFIX), **_given(media, _MEDIA)}
            for media in submitted.media
        ],
        "spans": [
            {
                "kind": _word(posts.Span.Kind, span.kind, _KIND_PREFIX),
                "start": span.start,
                "end": span.end,
                **_given(span, _SPAN),
            }
            for span in submitted.spans
        ],
        **_given(submitted, _OPTIONAL),
        **_given(submitted.reach, _REACH),
    }
    if submitted.HasField("author"):
        fields["author"] = {"id": submitted.author.id, **_given(submitted.author, _AUTHOR)}
    return convert(fields, RawPost)


def to_submitted(raw: RawPost) -> SubmittedPost:
    """Write a post for the wire."""
    return SubmittedPost(
        network=raw.network,
        kind=posts.Kind.Value(_KIND_PREFIX + raw.kind.upper()),
        native_id=raw.native_id,
        native_parent_id=raw.native_parent_id,
        native_thread_id=raw.native_thread_id,
        create_time=timestamp(raw.create_time) if raw.create_time else None,
        revision=raw.revision,
        change=posts.PostReceived.Change.Value(_CHANGE_PREFIX + raw.change.upper()),
        own=raw.own,
        author_unknown=raw.author_unknown,
        author=_author(raw.author),
        text=raw.text,
        permalink=raw.permalink,
        language=raw.language,
        media=[_media(media) for media in raw.media],
        spans=[_span(span) for span in raw.spans],
        reach=posts.Reach(followers=raw.followers, views=raw.views, rating=raw.rating),
    )


def _given(message: Any, names: tuple[str, ...]) -> dict[str, Any]:  # noqa: ANN401 - three kinds of message
    return {name: getattr(message, name) for name in names if message.HasField(name)}


def _word(enum: Any, number: int, prefix: str) -> str:  # noqa: ANN401 - the generated enums share no base
    """The name of an enum value as rows write it; "" for unspecified, its number for one that we do not know."""
    if number == 0:
        return ""
    value = enum.DESCRIPTOR.values_by_number.get(number)
    return value.name.removeprefix(prefix).lower() if value else str(number)


def _create_time(submitted: SubmittedPost) -> datetime | Invalid | None:
    if not submitted.HasField("create_time"):
        return None
    try:
        return submitted.create_time.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        return Invalid("create_time", OUT_OF_RANGE)


def _author(author: RawAuthor | None) -> SubmittedAuthor | None:
    if author is None:
        return None
    return SubmittedAuthor(
        id=author.id, handle=author.handle, display_name=author.display_name, verified=author.verified
    )


def _media(media: RawMedia) -> posts.Media:
    return posts.Media(
        kind=posts.Media.Kind.Value(_KIND_PREFIX + media.kind.upper()),
        url=media.url,
        alt_text=media.alt_text,
        duration_seconds=media.duration_seconds,
        transcript=media.transcript,
    )


def _span(span: RawSpan) -> posts.Span:
    return posts.Span(
        kind=posts.Span.Kind.Value(_KIND_PREFIX + span.kind.upper()), start=span.start, end=span.end, target=span.target
    )
