"""Web chat: messages of our own widget, and events of a session."""

import json
from typing import Any
from uuid import UUID

import pytest

from services.ingest.connector import Account, Ignored, Outcome
from services.ingest.connectors.web_chat import normalize
from services.ingest.rawpost import RawPost
from tests.unit.ingest.connectors.specimens.web_chat import message


def read(document: Any) -> list[Outcome]:
    return normalize(json.dumps(document).encode(), Account())


def test_a_session_is_one_conversation() -> None:
    [found] = read(message(text="Ciao"))
    assert isinstance(found, RawPost)
    assert (found.native_id, found.native_thread_id, found.language) == ("s_77/01LUM7", "s_77", "it-IT")
    assert found.author is not None
    assert (found.author.id, found.author.display_name) == ("v_7", None)


def test_a_visitor_without_an_id_is_the_session() -> None:
    [found] = read(message(text="Ciao", visitor=None))
    assert isinstance(found, RawPost)
    assert found.author is not None
    assert found.author.id == "s_77"


def test_a_message_as_the_widget_posts_it() -> None:
    number = str(UUID(int=7))
    [found] = read({"text": "Ciao", "id": number, "visitor": {"name": "Ann"}, "locale": "it"})
    assert isinstance(found, RawPost)
    assert (found.native_id, found.text, found.native_thread_id) == (number, "Ciao", None)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"text": "Ciao"}, "NO_ID"),
        ({"text": "Ciao", "email": "a@b.example"}, "INVALID"),
        ({"type": "chat.typing", "session_id": "s_77"}, "NO_POST"),
        (message(text="Ciao", session_id=None), "NO_ID"),
        (message(text=" "), "NO_CONTENT"),
    ],
)
def test_what_brings_no_post_says_why(document: Any, reason: str) -> None:
    [found] = read(document)
    assert isinstance(found, Ignored)
    assert found.reason.name == reason
