"""What is special in WhatsApp: people without a number, many types of messages, edits and revocations."""

import json
from typing import Any, Final

import pytest

from services.ingest.connector import Reason
from tests.unit.ingest.connectors.meta_payloads import posts, reasons, the_post
from tests.unit.ingest.connectors.specimens.whatsapp import NUMBER, PERSON, delivery, message, text

NETWORK: Final = "whatsapp"
PHONE: Final = "393331234567"
PIN: Final = {"latitude": 45.46, "longitude": 9.19}
FORM: Final = {
    "response_json": json.dumps({"flow_token": "x", "room": "Kitchen", "stars": 4}),
    "name": "flow",
    "body": "Sent",
}


def typed(kind: str, content: Any, **fields: Any) -> dict[str, Any]:
    return delivery(message(type=kind, **{kind: content}, **fields))


@pytest.mark.parametrize(
    ("kind", "content", "said"),
    [
        ("button", {"text": "Yes", "payload": "y"}, "Yes"),
        ("interactive", {"type": "button_reply", "button_reply": {"id": "1", "title": "Blue"}}, "Blue"),
        ("interactive", {"type": "list_reply", "list_reply": {"id": "1", "title": "Red", "description": "?"}}, "Red"),
        ("interactive", {"type": "nfm_reply", "nfm_reply": FORM}, "room: Kitchen\nstars: 4"),
        ("location", PIN, "45.46, 9.19"),
        ("location", PIN | {"name": "Lumora", "address": "Via Roma 1"}, "Lumora\nVia Roma 1"),
        ("contacts", [{"name": {"formatted_name": "Ada"}, "phones": [{"phone": "+39 02 1"}]}], "Ada\n+39 02 1"),
        (
            "order",
            {"text": "Soon?", "product_items": [{"product_retailer_id": "ALBA", "quantity": 2}]},
            "Soon?\n2 x ALBA",
        ),
        ("document", {"id": "1", "caption": "The bill", "filename": "bill.pdf"}, "The bill"),
    ],
)
def test_each_type_says_what_people_read(kind: str, content: Any, said: str) -> None:
    assert the_post(NETWORK, typed(kind, content)).text == said


@pytest.mark.parametrize(
    ("kind", "media"),
    [("image", "image"), ("sticker", "image"), ("video", "video"), ("audio", "audio"), ("document", "file")],
)
def test_each_file_has_its_kind(kind: str, media: str) -> None:
    found = the_post(NETWORK, typed(kind, {"id": "1", "url": "https://lookaside.example/1"}))
    assert [(each.kind, each.url) for each in found.media] == [(media, "https://lookaside.example/1")]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"type": "reaction", "reaction": {"message_id": "wamid.1", "emoji": "👍"}}, Reason.NO_POST),
        ({"type": "system", "system": {"type": "user_changed_user_id", "body": "changed"}}, Reason.NO_POST),
        ({"type": "request_welcome"}, Reason.NO_POST),
        ({"type": "interactive", "interactive": {"type": "call_permission_reply"}}, Reason.NO_POST),
        ({"type": "interactive"}, Reason.NO_CONTENT),
        ({"type": "unsupported", "errors": [{"code": 131051}]}, Reason.NO_CONTENT),
        ({"type": "edit", "edit": {"message": {"type": "text", "text": {"body": "x"}}}}, Reason.NO_ID),
    ],
)
def test_what_is_no_post_has_its_reason(fields: dict[str, Any], reason: Reason) -> None:
    assert reasons(NETWORK, delivery(message(**fields))) == [reason]


@pytest.mark.parametrize(
    ("sender", "contact", "author"),
    [
        ({"from": PHONE}, {"wa_id": PHONE}, (PHONE, None)),
        ({"from": PHONE}, {"wa_id": PHONE, "user_id": PERSON}, (PERSON, PHONE)),
        ({"from_user_id": PERSON}, {"user_id": PERSON, "profile": {"username": "@marta.r"}}, (PERSON, "@marta.r")),
        ({}, {"user_id": PERSON}, (PERSON, None)),
        ({"from": "5215512345678"}, {"wa_id": "525512345678"}, ("5215512345678", None)),
    ],
)
def test_a_person_is_known_with_and_without_a_number(
    sender: dict[str, str], contact: dict[str, Any], author: tuple[str, str | None]
) -> None:
    said = {"id": "wamid.1", "timestamp": "1795338000", **text("Hi"), **sender}
    found = the_post(NETWORK, delivery(said, contacts=[contact]))
    assert found.author is not None
    assert (found.author.id, found.author.handle) == author
    assert found.native_thread_id == f"77120045:{author[0]}"


def test_each_message_of_a_batch_has_its_own_sender() -> None:
    contacts = [{"wa_id": "391", "profile": {"name": "Ada"}}, {"wa_id": "392", "profile": {"name": "Bo"}}]
    batch = delivery(
        {"from": "392", "id": "wamid.1", **text("One")},
        {"from": "391", "id": "wamid.2", **text("Two")},
        contacts=contacts,
    )
    assert [each.author and each.author.display_name for each in posts(NETWORK, batch)] == ["Bo", "Ada"]


def test_a_group_is_one_conversation() -> None:
    found = the_post(NETWORK, delivery(message(group_id="1203@g.us", **text("Hi"))))
    assert (found.native_thread_id, found.author and found.author.id) == ("1203@g.us", PERSON)


@pytest.mark.parametrize(
    ("context", "parent"), [({"id": "wamid.0", "from": NUMBER}, "wamid.0"), ({"forwarded": True}, None)]
)
def test_the_context_of_an_answer_is_its_parent(context: dict[str, Any], parent: str | None) -> None:
    assert the_post(NETWORK, delivery(message(context=context, **text("Hi")))).native_parent_id == parent


def test_an_edited_caption_is_the_new_text_of_the_first_message() -> None:
    edit = {"original_message_id": "wamid.0", "message": {"type": "image", "image": {"id": "1", "caption": "Blue"}}}
    found = the_post(NETWORK, typed("edit", edit))
    assert (found.native_id, found.change, found.revision, found.text) == ("wamid.0", "edited", 1795338000, "Blue")
    assert [each.kind for each in found.media] == ["image"]


def test_what_we_sent_from_the_app_is_in_the_thread_of_the_person() -> None:
    echo = {"from": NUMBER, "to": PHONE, "id": "wamid.1", **text("Ciao")}
    found = the_post(NETWORK, delivery(echo, field="smb_message_echoes", contacts=[{"wa_id": PHONE}]))
    assert (found.own, found.native_thread_id) == (True, f"77120045:{PHONE}")


def test_history_has_both_sides_of_each_conversation() -> None:
    said = [
        {"from": PHONE, "id": "wamid.1", **text("Hi")},
        {"from": NUMBER, "to": PHONE, "id": "wamid.2", **text("Ciao")},
    ]
    history = [{"metadata": {"phase": 0}, "threads": [{"id": PHONE, "messages": said}]}]
    found = posts(NETWORK, delivery(field="history", history=history, contacts=[]))
    assert [(each.own, each.native_thread_id) for each in found] == [
        (False, f"77120045:{PHONE}"),
        (True, f"77120045:{PHONE}"),
    ]


@pytest.mark.parametrize(
    "content",
    [
        delivery(statuses=[{"id": "wamid.1", "status": "read"}]),
        delivery(errors=[{"code": 131000}]),
        delivery(field="message_template_status_update", event="APPROVED"),
        {"messaging_product": "whatsapp", "contacts": [{"wa_id": PHONE}], "messages": [{"id": "wamid.1"}]},
        {"error": {"message": "Re-engagement message", "code": 131047}},
    ],
)
def test_statuses_and_answers_are_no_posts(content: Any) -> None:
    assert reasons(NETWORK, content) == [Reason.NO_POST]
