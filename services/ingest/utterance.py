"""Everything personal of a post, cleaned, in the one message that can be sealed or removed as a unit."""

from typing import Final

from ascolto.posts.v1 import post_pb2 as posts
from services.ingest.rawpost import MediaKind, RawAuthor, RawMedia, RawPost, RawSpan, SpanKind
from services.ingest.text import clean, clean_line, place_in_clean

_MEDIA_KINDS: Final[dict[MediaKind, posts.Media.Kind.ValueType]] = {
    "image": posts.Media.KIND_IMAGE,
    "video": posts.Media.KIND_VIDEO,
    "audio": posts.Media.KIND_AUDIO,
    "file": posts.Media.KIND_FILE,
}

_SPAN_KINDS: Final[dict[SpanKind, posts.Span.Kind.ValueType]] = {
    "mention": posts.Span.KIND_MENTION,
    "hashtag": posts.Span.KIND_HASHTAG,
    "link": posts.Span.KIND_LINK,
    "quote": posts.Span.KIND_QUOTE,
}


def utterance_of(raw: RawPost, subject: str) -> posts.Utterance:
    """Say what was said and by whom; `subject` is the author's pseudonym."""
    return posts.Utterance(
        author=_author(raw.author, subject) if raw.author else None,
        text=clean(raw.text or ""),
        language_hint=raw.language.replace("_", "-") if raw.language else None,
        spans=_spans(raw),
        media=[_media(media) for media in raw.media],
    )


def _author(author: RawAuthor, subject: str) -> posts.Author:
    return posts.Author(
        subject=subject,
        handle=clean_line(author.handle or "").removeprefix("@") or None,
        display_name=clean_line(author.display_name or "") or None,
        verified=author.verified,
    )


def _spans(raw: RawPost) -> list[posts.Span]:
    """Spans of the text as we clean it; one of which nothing is left is none."""
    text = raw.text or ""
    found = (_span(span, place_in_clean(text, span.start), place_in_clean(text, span.end)) for span in raw.spans)
    return [span for span in found if span.start < span.end]


def _span(span: RawSpan, start: int, end: int) -> posts.Span:
    return posts.Span(kind=_SPAN_KINDS[span.kind], start=start, end=end, target=span.target)


def _media(media: RawMedia) -> posts.Media:
    return posts.Media(
        kind=_MEDIA_KINDS[media.kind],
        url=media.url,
        alt_text=clean(media.alt_text or "") or None,
        duration_seconds=media.duration_seconds,
        transcript=clean(media.transcript or "") or None,
    )
