"""What is special in Threads: an envelope of its own, usernames as ids, texts in attachments."""

from typing import Any, Final

import pytest

from services.ingest.connector import Account, Reason
from tests.unit.ingest.connectors.meta_payloads import change, posts, reasons, the_post
from tests.unit.ingest.connectors.specimens.threads import ACCOUNT, delivery, reply

NETWORK: Final = "threads"
URL: Final = "https://cdn.example/a.jpg"


def test_a_reply_has_its_root_as_thread() -> None:
    found = the_post(NETWORK, reply(text="So bright"))
    assert (found.kind, found.native_thread_id, found.native_parent_id) == ("public_comment", "18001", "18020")
    assert found.author is not None
    assert (found.author.id, found.author.handle) == ("marta.riva", "marta.riva")


@pytest.mark.parametrize(("value", "kind"), [({}, "public_post"), ({"is_reply": True}, "public_comment")])
def test_a_mention_is_a_post_or_a_reply(value: dict[str, Any], kind: str) -> None:
    assert the_post(NETWORK, delivery("mentions", text="@lumora hi", username="marta.riva", **value)).kind == kind


@pytest.mark.parametrize(
    ("value", "media"),
    [
        ({"media_type": "VIDEO", "media_url": URL}, [("video", URL, None)]),
        ({"gif_url": URL, "alt_text": "a lamp"}, [("image", URL, "a lamp")]),
        (
            {"children": {"data": [{"media_type": "IMAGE", "media_url": URL}, {"media_type": "VIDEO"}]}},
            [("image", URL, None), ("video", None, None)],
        ),
    ],
)
def test_media_have_addresses_and_descriptions(value: dict[str, Any], media: list[tuple[Any, ...]]) -> None:
    found = the_post(NETWORK, reply(**value))
    assert [(each.kind, each.url, each.alt_text) for each in found.media] == media


def test_a_long_text_is_attached() -> None:
    found = the_post(NETWORK, reply(text="Read on", text_attachment={"plaintext": "Once upon a time"}))
    assert found.text == "Read on\n\nOnce upon a time"


@pytest.mark.parametrize(
    "node",
    [{"owner": {"id": ACCOUNT}}, {"username": "lumora", "is_reply_owned_by_me": True}],
)
def test_our_own_posts_are_known_in_lists(node: dict[str, Any]) -> None:
    listed = {"data": [{"id": "1", "text": "Hi", **node}]}
    assert [each.own for each in posts(NETWORK, listed, Account(id=ACCOUNT))] == [True]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (delivery("quotes", text="Hi"), Reason.NO_POST),
        (delivery("publish", username="lumora", media_type="TEXT_POST"), Reason.IDS_ONLY),
        ({"data": [{"id": "1", "media_type": "REPOST_FACADE"}]}, Reason.IDS_ONLY),
        (reply(text=""), Reason.NO_CONTENT),
        ({"id": "1", "status": "FINISHED"}, Reason.NO_POST),
        ({"id": "1"}, Reason.NO_POST),
        ({"id": "1", "username": "lumora", "threads_biography": "Lamps"}, Reason.NO_POST),
        ({"data": [{"name": "views", "values": [{"value": 4}]}]}, Reason.NO_POST),
        ({"error": {"type": "THApiException", "code": 100}}, Reason.NO_POST),
    ],
)
def test_what_is_no_post_has_its_reason(content: Any, reason: Reason) -> None:
    assert reasons(NETWORK, content) == [reason]


def test_the_envelope_of_other_networks_of_meta_is_read_too() -> None:
    assert the_post(NETWORK, change("replies", "threads", id="1", text="Hi", username="marta.riva")).text == "Hi"
