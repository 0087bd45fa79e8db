"""Everything personal of a post, cleaned, in the one message that can be sealed or removed as a unit."""

from typing import Final

from ascolto.posts.v1 import post_pb2 as posts
from services.ingest.rawpost import MediaKind, RawAuthor, RawMedia, RawPost
from services.ingest.text import clean, clean_line

_MEDIA_KINDS: Final[dict[MediaKind, posts.Media.Kind.ValueType]] = {
    "image": posts.Media.KIND_IMAGE,
    "video": posts.Media.KIND_VIDEO,
    "audio": posts.Media.KIND_AUDIO,
    "file": posts.Media.KIND_FILE,
}


def utterance_of(raw: RawPost, subject: str) -> posts.Utterance:
    """Say what was said and by whom; `subject` is the author's pseudonym."""
    return posts.Utterance(
        author=_author(raw.author, subject) if raw.author else None,
        text=clean(raw.text or ""),
        language_hint=raw.language.replace("_", "-") if raw.language else None,
        media=[_media(media) for media in raw.media],
    )


def _author(author: RawAuthor, subject: str) -> posts.Author:
    return posts.Author(
        subject=subject,
        handle=clean_line(author.handle or "").removeprefix("@") or None,
        display_name=clean_line(author.display_name or "") or None,
        verified=author.verified,
    )


def _media(media: RawMedia) -> posts.Media:
    return posts.Media(
        kind=_MEDIA_KINDS[media.kind],
        url=media.url,
        alt_text=clean(media.alt_text or "") or None,
        duration_seconds=media.duration_seconds,
        transcript=clean(media.transcript or "") or None,
    )
