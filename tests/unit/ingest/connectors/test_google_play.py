"""Google Play: titles before a tab, answers, edits that an older answer proves, and other answers of the API."""

import json
from typing import Any

import pytest

from services.ingest.connector import Account, Ignored, Outcome
from services.ingest.connectors.google_play import normalize
from services.ingest.rawpost import RawPost
from tests.unit.ingest.connectors.specimens.google_play import developer, page, user


def read(document: Any) -> list[Outcome]:
    return normalize(json.dumps(document).encode(), Account())


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("\tSempre chiusa", "Sempre chiusa"),
        ("Male\tSempre chiusa", "Male\n\nSempre chiusa"),
        ("Sempre chiusa", "Sempre chiusa"),
        ("Male\t", "Male"),
    ],
)
def test_a_tab_parts_title_and_text(written: str, text: str) -> None:
    [found] = read(page(user(written)))
    assert isinstance(found, RawPost)
    assert found.text == text


def test_the_original_goes_before_its_translation() -> None:
    [found] = read(page(user("It closes", originalText="\tSi chiude")))
    assert isinstance(found, RawPost)
    assert found.text == "Si chiude"


def test_the_review_stands_for_its_writer_whom_google_does_not_identify() -> None:
    [found] = read(page(user("Nope", reviewerLanguage="pt-BR")))
    assert isinstance(found, RawPost)
    assert found.author is not None
    assert (found.author.id, found.author.display_name) == ("gp:LUM-1", "Bram Hollis")
    assert (found.language, found.create_time and found.create_time.timestamp()) == ("pt-BR", 1795000000)


def test_an_answer_is_our_own_post_beneath_its_review() -> None:
    said, answered = read(page(user("Nope"), developer("Please update.", "1795000600")))
    assert isinstance(said, RawPost)
    assert isinstance(answered, RawPost)
    assert (said.change, said.revision) == ("created", 1795000000)
    assert (answered.own, answered.native_parent_id, answered.native_thread_id) == (True, "gp:LUM-1", "gp:LUM-1")
    assert answered.native_id == "gp:LUM-1:reply"


def test_a_review_that_is_younger_than_its_answer_was_edited() -> None:
    said, _ = read(page(user("Better now", "1795009999"), developer("Please update.", "1795000600")))
    assert isinstance(said, RawPost)
    assert (said.change, said.revision) == ("edited", 1795009999)


@pytest.mark.parametrize(
    "document",
    [
        {"error": {"code": 403, "status": "PERMISSION_DENIED"}},
        {"result": {"replyText": "Please update.", "lastEdited": {"seconds": "1795000600"}}},
        {"tokenPagination": {"nextPageToken": "x"}},
        page({"somebodyElsesComment": {}}),
    ],
)
def test_other_answers_of_the_api_are_no_posts(document: Any) -> None:
    [found] = read(document)
    assert isinstance(found, Ignored)
    assert found.reason.name == "NO_POST"
