"""Building posts of what networks say: what is odd costs the field, and only what names a post costs the post."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.ingest.connector import Ignored, Reason, post, titled
from services.ingest.rawpost import MAX_MEDIA, MAX_TEXT_CODE_POINTS, RawPost

SAID: dict[str, Any] = {"network": "x", "kind": "public_post", "native_id": "1", "text": "Why?", "author": {"id": "a"}}


def made(**fields: Any) -> RawPost:
    result = post(**SAID | fields)
    assert isinstance(result, RawPost), result
    return result


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"followers": -1}, "followers"),
        ({"language": "not a language"}, "language"),
        ({"rating": 7.0}, "rating"),
        ({"permalink": "x" * 5_000}, "permalink"),
        ({"native_thread_id": "\x00"}, "native_thread_id"),
    ],
)
def test_an_odd_field_is_absent(fields: dict[str, Any], name: str) -> None:
    assert getattr(made(**fields), name) is None


def test_an_odd_part_is_absent_and_the_rest_stays() -> None:
    author = {"id": "a", "handle": "h" * 600, "display_name": "Ann"}
    media = [{"kind": "image", "url": "u" * 5_000}, {"kind": "hologram"}, {"kind": "video", "url": "https://a"}]
    raw = made(author=author, media=media)
    assert raw.author is not None
    assert (raw.author.handle, raw.author.display_name) == (None, "Ann")
    assert [(each.kind, each.url) for each in raw.media] == [("image", None), ("video", "https://a")]


@pytest.mark.parametrize(
    ("fields", "version"),
    [
        ({}, ("created", None)),
        ({"edited_at": None}, ("created", None)),
        ({"edited_at": datetime(2026, 11, 22, 9, 0, 0, 999_999, UTC)}, ("edited", 1_795_338_000)),
        ({"edited_at": datetime(1969, 1, 1, tzinfo=UTC)}, ("edited", 2)),
        ({"change": "edited"}, ("edited", 2)),
        ({"change": "edited", "revision": 7}, ("edited", 7)),
    ],
)
def test_the_revision_of_an_edit_is_its_count_else_its_second(
    fields: dict[str, Any], version: tuple[str, int | None]
) -> None:
    raw = made(**fields)
    assert (raw.change, raw.revision) == version


@pytest.mark.parametrize("author", [None, {}, {"id": None}, {"id": "\x07"}, {"id": "a" * 600}])
def test_an_author_who_is_not_known_is_said_to_be_unknown(author: dict[str, Any] | None) -> None:
    raw = made(author=author)
    assert (raw.author, raw.author_unknown) == (None, True)


@pytest.mark.parametrize("fields", [{"native_id": "\x00"}, {"kind": "rumour"}, {"revision": -3}, {"network": "X!"}])
def test_without_what_names_it_there_is_no_post(fields: dict[str, Any]) -> None:
    result = post(**SAID | fields)
    assert isinstance(result, Ignored)
    assert (result.reason, next(iter(fields)) in result.detail) == (Reason.INVALID, True)


@pytest.mark.parametrize(("fields", "reason"), [({"native_id": None}, "NO_ID"), ({"text": " \n"}, "NO_CONTENT")])
def test_what_is_missing_is_told(fields: dict[str, Any], reason: str) -> None:
    result = post(**SAID | fields)
    assert isinstance(result, Ignored)
    assert result.reason.name == reason


def test_what_is_too_long_is_cut() -> None:
    raw = made(text="é" * (MAX_TEXT_CODE_POINTS + 1), media=[{"kind": "image"}] * (MAX_MEDIA + 1))
    assert (len(raw.text or ""), len(raw.media)) == (MAX_TEXT_CODE_POINTS, MAX_MEDIA)


@pytest.mark.parametrize(
    ("title", "text", "both"), [("A", "B", "A\n\nB"), (None, "B", "B"), ("A ", " ", "A"), (None, None, None)]
)
def test_a_title_stands_above_its_text(title: str | None, text: str | None, both: str | None) -> None:
    assert titled(title, text) == both
