"""Discord: what each frame, webhook event and list becomes, and the text of its markup."""

import json
from typing import Any

import pytest

from services.ingest.connector import Account, Ignored, Outcome, Reason
from services.ingest.connectors.discord import normalize
from services.ingest.rawpost import RawPost
from tests.unit.ingest.connectors.specimens.discord import MARTA, MESSAGE_ID, dispatched, message

ACCOUNT = Account(id="9000")


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


def created(**fields: Any) -> dict[str, Any]:
    return dispatched("MESSAGE_CREATE", message(**fields))


def webhook(event: str, data: dict[str, Any]) -> dict[str, Any]:
    told = {"type": event, "timestamp": "2026-11-22T09:05:00.500000", "data": data}
    return {"version": 1, "application_id": "9000", "type": 1, "event": told}


@pytest.mark.parametrize(
    ("content", "text", "spans"),
    [
        ("<@7001> hi", "@Marta hi", [("mention", 0, 6, "7001")]),
        ("👋 <@!8>", "👋 @8", [("mention", 2, 4, "8")]),
        ("<@&55> in <#66>", "@55 in #66", [("mention", 0, 3, "55")]),
        ("<:lamp:12> <a:on:13>", ":lamp: :on:", []),
        ("at <t:1795338000:R>", "at 2026-11-22 09:00 UTC", []),
        ("use </order status:77>", "use /order status", []),
        ("<https://l.example/a>", "https://l.example/a", [("link", 0, 19, "https://l.example/a")]),
        ("a < b and <@x>", "a < b and <@x>", []),
    ],
)
def test_the_markup_is_undone(content: str, text: str, spans: list[tuple[str, int, int, str]]) -> None:
    post = the_post(created(content=content, mentions=[MARTA]))
    assert post.text == text
    assert [(span.kind, span.start, span.end, span.target) for span in post.spans] == spans


def test_a_reply_names_its_parent() -> None:
    reference = {"type": 0, "message_id": "14", "channel_id": "5000"}
    post = the_post(created(content="Yes", type=19, message_reference=reference))
    assert (post.native_parent_id, post.native_thread_id) == ("14", None)


@pytest.mark.parametrize(
    "fields",
    [
        {"type": 0, "flags": 2, "message_reference": {"message_id": "14", "channel_id": "1"}},
        {"type": 0, "message_reference": {"type": 1, "message_id": "14"}, "message_snapshots": []},
    ],
    ids=["news of a followed channel", "forward"],
)
def test_not_every_reference_is_a_reply(fields: dict[str, Any]) -> None:
    assert the_post(created(content="Hello", **fields)).native_parent_id is None


def test_a_thread_has_the_id_of_the_message_that_began_it() -> None:
    root = the_post(created(content="Why?", thread={"id": MESSAGE_ID, "name": "Why?"}))
    inside = the_post(created(content="Because", id="15", channel_id=MESSAGE_ID, position=1))
    assert (root.native_thread_id, inside.native_thread_id) == (MESSAGE_ID, root.native_id)


def test_a_forward_shows_what_is_passed_on() -> None:
    snapshot = {"content": "It broke", "attachments": [{"url": "https://cdn.example/v", "content_type": "video/mp4"}]}
    reference = {"type": 1, "message_id": "14", "channel_id": "1"}
    post = the_post(created(message_reference=reference, message_snapshots=[{"message": snapshot}]))
    assert (post.text, [media.kind for media in post.media]) == ("It broke", ["video"])


def test_a_direct_channel_is_one_conversation() -> None:
    direct = message(content="Ciao")
    del direct["guild_id"]
    post = the_post(dispatched("MESSAGE_CREATE", direct))
    assert (post.kind, post.native_thread_id) == ("direct_message", "5000")
    assert post.permalink == f"https://discord.com/channels/@me/5000/{MESSAGE_ID}"


def test_a_message_of_the_api_does_not_say_its_server() -> None:
    listed = message(content="Ciao")
    del listed["guild_id"]
    post = the_post([listed])
    assert (post.kind, post.native_thread_id, post.permalink) == ("public_comment", None, None)


def test_a_name_in_the_server_is_shown_before_the_name_in_discord() -> None:
    post = the_post(created(content="Ciao", member={"nick": "Marta of the lamps"}))
    assert post.author
    assert (post.author.handle, post.author.display_name) == ("marta_r", "Marta of the lamps")


def test_a_voice_message_is_a_sound() -> None:
    voice = {"url": "https://cdn.example/v.ogg", "content_type": "audio/ogg", "duration_secs": 3.7, "waveform": "AA"}
    (media,) = the_post(created(flags=8192, attachments=[voice])).media
    assert (media.kind, media.duration_seconds) == ("audio", 4)


def test_a_poll_and_a_sticker_are_something_said() -> None:
    poll = {"question": {"text": "Which lamp?"}, "answers": [{"poll_media": {"text": "Alba"}}]}
    post = the_post(created(poll=poll, sticker_items=[{"id": "1", "name": "lamp", "format_type": 1}]))
    assert (post.text, post.media[0].alt_text) == ("Which lamp?\nAlba", "lamp")


@pytest.mark.parametrize(
    "data",
    [
        {"id": MESSAGE_ID, "channel_id": "5000", "guild_id": "4000", "embeds": [{"type": "link"}]},
        message(content="see https://l.example", embeds=[{"type": "link", "title": "Lumora"}]),
    ],
    ids=["without content", "with content"],
)
def test_an_added_preview_is_no_edit(data: dict[str, Any]) -> None:
    assert ignored(dispatched("MESSAGE_UPDATE", data)) is Reason.NO_CONTENT


def test_an_edit_that_is_read_later_counts_as_one() -> None:
    post = the_post([message(content="Why not?", edited_timestamp="2026-11-22T09:01:00+00:00")])
    assert (post.change, post.revision) == ("edited", 1795338060)


def test_many_are_deleted_at_once() -> None:
    gone = outcomes(dispatched("MESSAGE_DELETE_BULK", {"ids": ["1", "2"], "channel_id": "5000", "guild_id": "4"}))
    assert [(each.change, each.native_id) for each in gone if isinstance(each, RawPost)] == [
        ("deleted", "1"),
        ("deleted", "2"),
    ]


def test_a_message_in_a_lobby_was_written_when_its_event_happened() -> None:
    data = {"id": "31", "type": 0, "content": "gg", "lobby_id": "30", "channel_id": "32", "author": MARTA}
    post = the_post(webhook("LOBBY_MESSAGE_CREATE", data))
    assert (post.kind, post.native_thread_id) == ("public_comment", "30")
    assert post.create_time
    assert post.create_time.isoformat() == "2026-11-22T09:05:00.500000+00:00"


def test_a_message_in_a_game_is_edited_and_deleted() -> None:
    data = {"id": "41", "content": "ready?", "channel_id": "40", "author": MARTA, "recipient_id": "8"}
    edit, gone = the_post(webhook("GAME_DIRECT_MESSAGE_UPDATE", data)), webhook("GAME_DIRECT_MESSAGE_DELETE", data)
    assert (edit.change, edit.revision, edit.create_time, edit.kind) == ("edited", 1795338300, None, "direct_message")
    assert (the_post(gone).change, the_post(gone).text) == ("deleted", None)


def test_other_bots_are_ignored_and_the_own_one_is_not() -> None:
    bot = created(content="Ciao", author={"id": "77", "bot": True}, application_id="900")
    assert ignored(bot) is Reason.AUTOMATIC
    assert the_post(bot, Account(id="900")).own


def test_lists_of_searches_and_pins_are_opened() -> None:
    one = message(content="lamp")
    found, pinned = the_post({"total_results": 1, "messages": [[one]]}), the_post({"items": [{"message": one}]})
    assert found == pinned == the_post(one)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"op": 10, "d": {"heartbeat_interval": 41250}, "s": None, "t": None}, Reason.NO_POST),
        (dispatched("MESSAGE_REACTION_ADD", {"message_id": "1"}), Reason.NO_POST),
        (dispatched("GUILD_CREATE", {"id": "1"}), Reason.NO_POST),
        ({"version": 1, "application_id": "1", "type": 0}, Reason.NO_POST),
        (webhook("ENTITLEMENT_CREATE", {"id": "1", "sku_id": "2"}), Reason.NO_POST),
        ({"message": "Unknown Channel", "code": 10003}, Reason.NO_POST),
        ({"message": "You are being rate limited.", "retry_after": 1.2}, Reason.NO_POST),
        (created(type=7), Reason.NO_POST),
        (created(type=21, message_reference={"message_id": "1"}), Reason.NO_POST),
        (created(content="news", webhook_id="3"), Reason.AUTOMATIC),
        (created(), Reason.NO_CONTENT),
        ({"content": "Ciao", "tts": False}, Reason.NO_ID),
        ({"total_results": 0, "messages": []}, Reason.NO_POST),
    ],
)
def test_what_is_no_post_says_why(content: Any, reason: Reason) -> None:
    assert ignored(content) is reason


def test_a_captured_request_is_opened() -> None:
    captured = {"headers": {"X-Signature-Ed25519": "00"}, "body": json.dumps(created(content="Ciao"))}
    assert the_post(captured) == the_post(created(content="Ciao"))
