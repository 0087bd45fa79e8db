"""What is special in Messenger: many kinds of events, attachments that are words, who the person is."""

from typing import Any, Final

import pytest

from services.ingest.connector import Account, Reason
from tests.unit.ingest.connectors.meta_payloads import PAGE, PERSON, change, event, posts, reasons, the_post

NETWORK: Final = "messenger"
URL: Final = "https://cdn.example/a"


def message(*attachments: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return event(message={"mid": "m_1", "attachments": list(attachments)} | fields)


@pytest.mark.parametrize(
    ("kind", "media"),
    [
        ("image", "image"),
        ("video", "video"),
        ("audio", "audio"),
        ("file", "file"),
        ("reel", "video"),
        ("sticker", "image"),
    ],
)
def test_each_file_has_its_kind(kind: str, media: str) -> None:
    found = the_post(NETWORK, message({"type": kind, "payload": {"url": URL}}))
    assert [(each.kind, each.url) for each in found.media] == [(media, URL)]


def test_a_sticker_that_is_told_twice_is_one() -> None:
    payload = {"url": URL, "sticker_id": 7}
    found = the_post(NETWORK, message({"type": "image", "payload": payload}, {"type": "sticker", "payload": payload}))
    assert len(found.media) == 1


@pytest.mark.parametrize(
    ("attachment", "text"),
    [
        (
            {"type": "fallback", "title": "Lamp", "url": "https://lumora.example/l", "payload": "?"},
            "Lamp\nhttps://lumora.example/l",
        ),
        ({"type": "location", "payload": {"coordinates": {"lat": 45.46, "long": 9.19}}}, "45.46, 9.19"),
        ({"type": "template", "payload": {"product": {"elements": [{"title": "Alba lamp"}]}}}, "Alba lamp"),
    ],
)
def test_an_attachment_without_file_is_read_as_words(attachment: dict[str, Any], text: str) -> None:
    assert the_post(NETWORK, message(attachment)).text == text
    assert the_post(NETWORK, message(attachment, text="This one")).text == "This one"


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ({"delivery": {"mids": ["m_1"], "watermark": 1}}, Reason.NO_POST),
        ({"reaction": {"mid": "m_1", "action": "react", "emoji": "👍"}}, Reason.NO_POST),
        ({"optin": {"ref": "x"}}, Reason.NO_POST),
        ({"referral": {"ref": "x"}}, Reason.NO_POST),
        ({"request_thread_control": {"requested_owner_app_id": 1}}, Reason.NO_POST),
        ({"message": {"mid": "m_1", "is_unsupported": True}}, Reason.NO_CONTENT),
        ({"message": {"text": "Hi"}}, Reason.NO_ID),
        ({"message_edit": {"mid": "m_1", "text": None, "num_edit": 1}}, Reason.IDS_ONLY),
        ({"postback": {"mid": "m_1", "payload": "START"}}, Reason.NO_CONTENT),
    ],
)
def test_what_is_no_post_has_its_reason(what: dict[str, Any], reason: Reason) -> None:
    assert reasons(NETWORK, event(**what)) == [reason]


def test_a_tapped_button_is_what_it_says() -> None:
    found = the_post(NETWORK, event(postback={"mid": "m_1", "title": "Talk to us", "payload": "HUMAN"}))
    assert (found.text, found.native_thread_id) == ("Talk to us", PERSON)


def test_the_person_is_the_thread_on_both_sides() -> None:
    theirs = the_post(NETWORK, message(text="Hi"))
    echo = {"mid": "m_2", "text": "Hello", "is_echo": True}
    ours = the_post(NETWORK, event(sender=PAGE, recipient=PERSON, message=echo))
    assert theirs.native_thread_id == ours.native_thread_id == PERSON
    assert (theirs.own, ours.own, ours.author and ours.author.id) == (False, True, PAGE)


def test_each_edit_is_a_version_of_its_own() -> None:
    edits = [event(message_edit={"mid": "m_1", "text": "Hi!", "num_edit": count}) for count in (1, 2, "3")]
    assert [the_post(NETWORK, each).revision for each in edits] == [2, 3, 4]


def test_an_unsent_message_is_deleted() -> None:
    found = the_post(NETWORK, message(is_deleted=True))
    assert (found.change, found.native_id, found.native_thread_id, found.author) == ("deleted", "m_1", PERSON, None)


def test_messages_that_another_app_answers_are_heard_too() -> None:
    delivery = message(text="Hi")
    delivery["entry"][0]["standby"] = delivery["entry"][0].pop("messaging")
    assert the_post(NETWORK, delivery).text == "Hi"


def test_the_sample_of_the_app_dashboard_counts_in_seconds() -> None:
    sample = change(
        "messages",
        sender={"id": PERSON},
        recipient={"id": PAGE},
        timestamp="1795338000",
        message={"mid": "m_1", "text": "Hi"},
    )
    found = the_post(NETWORK, sample)
    assert found.create_time is not None
    assert found.create_time.timestamp() == 1795338000


def test_the_detected_language_is_the_language() -> None:
    nlp = {"detected_locales": [{"locale": "it_IT", "confidence": 0.98}]}
    assert the_post(NETWORK, message(text="Ciao", nlp=nlp)).language == "it"


def test_a_comment_of_the_page_is_read_as_well() -> None:
    comment = change("feed", item="comment", verb="add", comment_id="7_8", post_id=f"{PAGE}_7", message="Hi")
    found = the_post(NETWORK, comment)
    assert (found.network, found.kind, found.native_thread_id) == (NETWORK, "public_comment", f"{PAGE}_7")


def listed(sender: str, receiver: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": "m_1",
        "created_time": "2026-11-22T08:21:00+0000",
        "from": {"id": sender, "name": "Somebody", "email": f"{sender}@facebook.com"},
        "to": {"data": [{"id": receiver}]},
        **fields,
    }


def test_a_listed_conversation_has_the_threads_of_webhooks() -> None:
    conversation = {
        "id": "t_1",
        "messages": {"data": [listed(PERSON, PAGE, message="Hi"), listed(PAGE, PERSON, message="Hello")]},
    }
    found = posts(NETWORK, {"data": [conversation]}, Account(id=PAGE))
    assert [(each.native_thread_id, each.own) for each in found] == [(PERSON, False), (PERSON, True)]


@pytest.mark.parametrize(
    ("attachment", "media"),
    [
        ({"mime_type": "video/mp4", "video_data": {"url": URL, "length": 11}}, ("video", URL, 11)),
        ({"mime_type": "audio/mpeg", "file_url": URL}, ("audio", URL, None)),
        ({"mime_type": "application/pdf", "file_url": URL}, ("file", URL, None)),
    ],
)
def test_listed_files_have_their_kind(attachment: dict[str, Any], media: tuple[str, str, int | None]) -> None:
    found = the_post(NETWORK, listed(PERSON, PAGE, attachments={"data": [attachment]}))
    assert [(each.kind, each.url, each.duration_seconds) for each in found.media] == [media]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"data": [{"id": "t_1", "updated_time": "2026-11-22T08:21:00+0000"}]}, Reason.IDS_ONLY),
        ({"data": [{"id": "m_1", "created_time": "2026-11-22T08:21:00+0000"}]}, Reason.IDS_ONLY),
        ({"recipient_id": PERSON, "message_id": "m_9"}, Reason.NO_POST),
    ],
)
def test_ids_without_content_are_told_apart_from_answers(content: Any, reason: Reason) -> None:
    assert reasons(NETWORK, content) == [reason]
