"""Talkwalker: streams of chunks, searches, comments, and what it may not pass on; after its documentation."""

import json
from typing import Any

import pytest

from services.ingest.connector import Account, Ignored, Outcome, Reason
from services.ingest.connectors.talkwalker import normalize
from services.ingest.rawpost import RawPost
from tests.unit.ingest.connectors.specimens.talkwalker import article, chunk

CONTROL = {"chunk_type": "CT_CONTROL", "chunk_control": {"resume_offset": "1"}}


def read(*chunks: Any) -> list[Outcome]:
    return normalize("\n".join(json.dumps(each) for each in chunks).encode(), Account())


def only(document: Any) -> RawPost:
    [found] = read(document)
    assert isinstance(found, RawPost)
    return found


def test_a_stream_has_a_chunk_a_line() -> None:
    first, second, third = read(CONTROL, chunk(**article(content="Warm")), {"chunk_type": "CT_ERROR"})
    assert isinstance(first, Ignored)
    assert isinstance(second, RawPost)
    assert isinstance(third, Ignored)


def test_a_search_has_a_list_of_documents() -> None:
    found = only({"status_code": "0", "result_content": {"data": [{"data": article(title="Glow", content="Warm")}]}})
    assert (found.kind, found.text, found.native_parent_id) == ("public_post", "Glow\n\nWarm", None)
    assert found.create_time is not None
    assert found.create_time.timestamp() == 1795338000


def test_a_comment_is_its_writers_words_beneath_a_page() -> None:
    told = article(title="Glow", content="Mine broke", tags_internal=["isComment"], parent_url="https://m.example/p")
    found = only(chunk(**told))
    assert (found.kind, found.text, found.native_parent_id) == ("public_comment", "Mine broke", "https://m.example/p")


def test_an_excerpt_stands_for_a_text_that_is_not_given() -> None:
    document = {"data": article(), "highlighted_data": [{"content_snippet": "Warm <b>Lumora</b> &amp; light"}]}
    assert only(document).text == "Warm Lumora & light"


def test_an_address_too_long_for_a_name_is_shortened() -> None:
    found = only(chunk(**article(url="https://m.example/" + "x" * 600, content="Warm")))
    assert found.native_id.startswith("sha256:")
    assert found.permalink is not None
    assert len(found.permalink) > 600


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (chunk(external_id="1850", external_provider="twitter"), Reason.IDS_ONLY),
        ({"status_code": "21", "status_message": "Invalid access token"}, Reason.NO_POST),
        ({"result_content": {"data": []}}, Reason.NO_POST),
        (CONTROL, Reason.NO_POST),
        (chunk(url="https://m.example/1", content=""), Reason.NO_CONTENT),
    ],
)
def test_what_brings_no_post_says_why(document: Any, reason: Reason) -> None:
    [found] = read(document)
    assert isinstance(found, Ignored)
    assert found.reason is reason
