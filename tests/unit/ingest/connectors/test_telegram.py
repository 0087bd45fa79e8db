"""Telegram: who writes where, what every kind of message says, and whose side it is on."""

import json
from typing import Any

import pytest

from services.ingest.connector import Account, Ignored, Outcome, Reason
from services.ingest.connectors.telegram import normalize
from services.ingest.rawpost import RawPost
from tests.unit.ingest.connectors.specimens.telegram import GROUP, MARTA, message

ACCOUNT = Account(id="9000")
BOT: dict[str, Any] = {"id": 9000, "is_bot": True, "first_name": "Lumora", "username": "lumora_bot"}
CHANNEL: dict[str, Any] = {"id": -1005, "type": "channel", "title": "Lumora news", "username": "lumora_news"}
PRIVATE: dict[str, Any] = {"id": 7001, "type": "private", "first_name": "Marta"}


def outcomes(content: Any, account: Account = ACCOUNT) -> list[Outcome]:
    return normalize(json.dumps(content).encode(), account)


def the_post(content: Any, account: Account = ACCOUNT) -> RawPost:
    (found,) = outcomes(content, account)
    assert isinstance(found, RawPost), found
    return found


def ignored(content: Any) -> Reason:
    (found,) = outcomes(content)
    assert isinstance(found, Ignored), found
    return found.reason


def heard(**fields: Any) -> RawPost:
    return the_post({"update_id": 1, "message": message(**fields)})


def sent_by(sender: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return message(**{"from": sender}, **fields)


def test_a_channel_speaks_for_itself() -> None:
    said = {"message_id": 5, "chat": CHANNEL, "sender_chat": CHANNEL, "date": 1795338000, "text": "New lamps"}
    post = the_post({"channel_post": said | {"author_signature": "Marta"}}, Account(id="-1005"))
    assert post.author
    assert (post.author.id, post.author.display_name, post.own) == ("-1005", "Lumora news", True)
    assert (post.kind, post.permalink) == ("public_post", "https://t.me/lumora_news/5")


def test_a_channel_post_in_its_discussion_group_is_the_channels() -> None:
    origin = {"type": "channel", "chat": CHANNEL, "message_id": 5}
    stand_in = {"id": 777000, "is_bot": False, "first_name": "Telegram"}
    copy = sent_by(stand_in, text="New lamps", sender_chat=CHANNEL, is_automatic_forward=True, forward_origin=origin)
    post = the_post({"message": copy})
    assert post.author
    assert (post.author.id, post.kind, post.native_thread_id) == ("-1005", "public_post", None)


def test_a_comment_belongs_to_the_copy_of_the_channel_post() -> None:
    post = heard(message_id=90, text="Nice", message_thread_id=88, reply_to_message={"message_id": 89})
    assert (post.native_parent_id, post.native_thread_id) == (f"{GROUP['id']}:89", f"{GROUP['id']}:88")


def test_a_hidden_administrator_is_the_group() -> None:
    stand_in = {"id": 1087968824, "is_bot": True, "username": "GroupAnonymousBot"}
    post = the_post({"message": sent_by(stand_in, text="Be kind", sender_chat=GROUP)})
    assert post.author
    assert post.author.id == str(GROUP["id"])


def test_a_reply_into_another_chat_names_its_parent_there() -> None:
    elsewhere = {"origin": {"type": "channel"}, "chat": CHANNEL, "message_id": 5}
    post = heard(text="True?", external_reply=elsewhere, quote={"text": "New lamps", "position": 0})
    assert (post.text, post.native_parent_id) == ("True?", "-1005:5")


def test_business_chats_are_apart_from_the_bots_own() -> None:
    asked = message(chat=PRIVATE, text="Open today?", business_connection_id="bc1")
    gone = {"business_connection_id": "bc1", "chat": PRIVATE, "message_ids": [4187, 4188]}
    post, removed = the_post({"business_message": asked}), outcomes({"deleted_business_messages": gone})
    assert (post.native_id, post.native_thread_id, post.own) == ("bc1:7001:4187", "bc1:7001", False)
    assert [each.native_id for each in removed if isinstance(each, RawPost)] == [post.native_id, "bc1:7001:4188"]


@pytest.mark.parametrize(
    "answer",
    [
        sent_by({"id": 31, "is_bot": False}, chat=PRIVATE, text="Yes", business_connection_id="bc1"),
        sent_by({"id": 31, "is_bot": False}, text="Yes", sender_business_bot=BOT),
        sent_by(BOT, chat=PRIVATE, text="Yes"),
        sent_by(BOT, text="Yes"),
    ],
    ids=["the business itself", "its bot", "the bot in private", "the bot in a group"],
)
def test_our_side_is_known(answer: dict[str, Any]) -> None:
    assert the_post({"business_message": answer}).own


def test_other_bots_are_ignored() -> None:
    assert ignored({"message": sent_by(BOT | {"id": 8}, text="Yes")}) is Reason.AUTOMATIC


def test_direct_messages_to_a_channel_are_told_apart_by_topic() -> None:
    inbox = GROUP | {"is_direct_messages": True}
    post = heard(chat=inbox, text="Ciao", direct_messages_topic={"topic_id": 7001, "user": MARTA})
    assert (post.kind, post.native_thread_id) == ("direct_message", f"{GROUP['id']}:7001")


def test_spans_count_utf_16_and_leave_commands_and_styles_out() -> None:
    entities = [
        {"type": "bot_command", "offset": 0, "length": 5},
        {"type": "custom_emoji", "offset": 6, "length": 2, "custom_emoji_id": "1"},
        {"type": "mention", "offset": 9, "length": 7},
        {"type": "spoiler", "offset": 9, "length": 7},
        {"type": "blockquote", "offset": 17, "length": 3},
        {"type": "hashtag", "offset": 900, "length": 3},
        {"type": "url", "offset": 17, "length": -3},
    ]
    post = heard(text="/help 😆 @lumora see", entities=entities)
    assert [(span.kind, span.start, span.end, span.target) for span in post.spans if span.start < span.end] == [
        ("mention", 8, 15, "lumora"),
        ("quote", 16, 19, None),
    ]


def test_a_mention_behind_the_cut_of_a_huge_text_costs_nothing() -> None:
    entities = [{"type": "mention", "offset": offset, "length": 3} for offset in (0, 60_000)]
    post = heard(text="@me" + "x" * 59_997 + "@me", entities=entities)
    assert [span.target for span in post.spans if span.start < span.end] == ["me"]


@pytest.mark.parametrize(
    ("fields", "text", "media"),
    [
        ({"photo": [{"file_id": "a"}], "caption": "my lamp"}, "my lamp", ["image"]),
        ({"animation": {"duration": 2}, "document": {"mime_type": "video/mp4"}}, None, ["video"]),
        ({"document": {"mime_type": "image/png"}}, None, ["image"]),
        ({"story": {"chat": CHANNEL, "id": 3}}, None, ["file"]),
        ({"paid_media": {"paid_media": [{"type": "photo", "photo": [{"file_id": "a"}]}]}}, None, ["image"]),
        ({"poll": {"question": "Which?", "options": [{"text": "Alba"}, {"text": "Sera"}]}}, "Which?\nAlba\nSera", []),
        ({"checklist": {"title": "To do", "tasks": [{"text": "pay"}]}}, "To do\npay", []),
        ({"venue": {"title": "Shop", "address": "Via 1"}, "location": {"latitude": 1}}, "Shop\nVia 1", []),
        ({"location": {"latitude": 45.07, "longitude": 7.68}}, "45.07, 7.68", []),
        ({"contact": {"first_name": "Luca", "phone_number": "+39 1"}}, "Luca +39 1", []),
        ({"dice": {"emoji": "🎲", "value": 3}}, "🎲", []),
    ],
)
def test_whatever_is_shared_is_something_said(fields: dict[str, Any], text: str | None, media: list[str]) -> None:
    post = heard(**fields)
    assert (post.text, [each.kind for each in post.media]) == (text, media)


def test_a_rich_message_is_read_block_by_block() -> None:
    link = {"type": "url", "text": ["a ", {"type": "bold", "text": "lamp"}], "url": "https://l.example"}
    blocks = [
        {"type": "heading", "size": 1, "text": "Order"},
        {"type": "paragraph", "text": ["I bought ", link]},
        {"type": "blockquote", "blocks": [{"type": "paragraph", "text": "ships today"}]},
        {"type": "list", "items": [{"label": "1.", "blocks": [{"type": "paragraph", "text": "late"}]}]},
        {"type": "table", "cells": [[{"text": "price"}, {"text": "9"}]]},
        {"type": "photo", "photo": [{"file_id": "a"}], "caption": {"text": "broken"}},
    ]
    post = heard(rich_message={"blocks": blocks})
    assert post.text == "Order\nI bought a lamp\nships today\nlate\nprice\t9\nbroken"
    assert [(span.kind, span.start, span.end) for span in post.spans] == [("link", 15, 21), ("quote", 22, 33)]
    assert [each.kind for each in post.media] == ["image"]


def test_an_edited_caption_is_an_edit() -> None:
    edited = message(photo=[{"file_id": "a"}], caption="my old lamp", edit_date=1795338060)
    post = the_post({"edited_message": edited})
    assert (post.change, post.revision, post.text) == ("edited", 1795338060, "my old lamp")


def test_a_group_without_a_name_has_an_address_for_its_members() -> None:
    unnamed = {"id": -1002184467301, "type": "supergroup", "title": "Lumora"}
    assert heard(chat=unnamed, text="Ciao").permalink == "https://t.me/c/2184467301/4187"
    assert heard(chat=unnamed | {"id": -42, "type": "group"}, text="Ciao").permalink is None


def test_the_language_of_an_app_is_not_that_of_a_text() -> None:
    assert heard(text="Where is my lamp?").language is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"message": message(migrate_to_chat_id=-1009)}, Reason.NO_CONTENT),
        ({"message": message(pinned_message=message(text="old"))}, Reason.NO_CONTENT),
        ({"message": message(message_id=0, text="later")}, Reason.NO_ID),
        (
            {"edited_message": message(location={"latitude": 1, "longitude": 2, "live_period": 60}, edit_date=9)},
            Reason.NO_POST,
        ),
        ({"callback_query": {"id": "1", "message": message(text="Ciao")}}, Reason.NO_POST),
        ({"message_reaction": {"message_id": 1}}, Reason.NO_POST),
        ({"ok": True, "result": sent_by(BOT, text="sent")}, Reason.NO_POST),
        ({"ok": True, "result": []}, Reason.NO_POST),
    ],
)
def test_what_is_no_post_says_why(content: Any, reason: Reason) -> None:
    assert ignored(content) is reason
