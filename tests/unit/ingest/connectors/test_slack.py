"""Slack: what each kind of event becomes, and the text of its markup and blocks."""

import json
from typing import Any

import pytest

from services.ingest.connector import Account, Ignored, Outcome, Reason
from services.ingest.connectors.slack import normalize
from services.ingest.rawpost import RawPost
from tests.unit.ingest.connectors.specimens.slack import TS, delivered, message

ACCOUNT = Account(id="U0LUMORA")


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


def in_thread(**fields: Any) -> dict[str, Any]:
    return message(text="Yes", ts="1795338100.000100", thread_ts=TS, **fields)


@pytest.mark.parametrize(
    ("mrkdwn", "text", "spans"),
    [
        ("<@U1> hi", "@U1 hi", [("mention", 0, 3, "U1")]),
        ("<@U1|marta> hi", "@marta hi", [("mention", 0, 6, "U1")]),
        ("in <#C1|lamps> &amp; <#C2>", "in #lamps & #C2", []),
        ("<!here> <!subteam^S1|@team>", "@here @team", [("mention", 0, 5, "here"), ("mention", 6, 11, "S1")]),
        ("🇮🇹 <https://l.example/?a=1&amp;b|a lamp>", "🇮🇹 a lamp", [("link", 3, 9, "https://l.example/?a=1&b")]),
        ("<mailto:a@l.example|a@l.example>", "a@l.example", [("link", 0, 11, "mailto:a@l.example")]),
        ("<!date^1795338000^{date}|22 Nov>", "22 Nov", []),
        ("1 &lt; 2, &amp;lt; and a < b > c", "1 < 2, &lt; and a < b > c", []),
    ],
)
def test_the_markup_is_undone(mrkdwn: str, text: str, spans: list[tuple[str, int, int, str]]) -> None:
    post = the_post(delivered(message(text=mrkdwn)))
    assert post.text == text
    assert [(span.kind, span.start, span.end, span.target) for span in post.spans] == spans


def test_a_mention_behind_the_cut_of_a_huge_text_costs_nothing() -> None:
    post = the_post(delivered(message(text="<@U1>" + "x" * 60_000 + "<@U2>")))
    assert [span.target for span in post.spans] == ["U1"]


def test_blocks_speak_where_there_is_no_text() -> None:
    leaves = [{"type": "user", "user_id": "U1"}, {"type": "text", "text": " "}, {"type": "emoji", "name": "wave"}]
    quoted = [{"type": "text", "text": "it is broken"}]
    blocks = [
        {"type": "section", "text": {"type": "mrkdwn", "text": "Hello &amp; <https://l.example|welcome>"}},
        {
            "type": "rich_text",
            "elements": [
                {"type": "rich_text_section", "elements": leaves},
                {"type": "rich_text_list", "elements": [{"type": "rich_text_section", "elements": quoted}]},
                {"type": "rich_text_quote", "elements": quoted},
            ],
        },
    ]
    post = the_post(delivered(message(text="", blocks=blocks)))
    assert post.text == "Hello & welcome\n@U1 :wave:\nit is broken\nit is broken"
    assert [(span.kind, span.start, span.end) for span in post.spans] == [
        ("link", 8, 15),
        ("mention", 16, 19),
        ("quote", 40, 52),
    ]


def test_a_mention_of_the_app_is_the_same_post_as_its_message() -> None:
    as_message = the_post(delivered(message(text="<@U0LUMORA> hi")))
    as_mention = the_post(delivered(message(text="<@U0LUMORA> hi", type="app_mention")))
    assert as_mention == as_message


@pytest.mark.parametrize(
    "event",
    [in_thread(), in_thread(subtype="thread_broadcast", root=message(text="Why?"))],
    ids=["reply", "broadcast"],
)
def test_a_reply_answers_the_root_of_its_thread(event: dict[str, Any]) -> None:
    post = the_post(delivered(event))
    assert (post.native_parent_id, post.native_thread_id) == (f"C0LAMPS:{TS}", f"C0LAMPS:{TS}")


def test_the_root_of_a_thread_answers_nothing() -> None:
    post = the_post(delivered(message(text="Why?", thread_ts=TS, reply_count=2)))
    assert (post.native_parent_id, post.native_thread_id) == (None, f"C0LAMPS:{TS}")


def test_direct_messages_are_one_conversation() -> None:
    post = the_post(delivered(message(text="Ciao", channel="D0MARTA", channel_type="im")))
    assert (post.kind, post.native_thread_id) == ("direct_message", "D0MARTA")


def test_an_added_preview_is_no_edit() -> None:
    shown = message(text="see <https://l.example>", attachments=[{"id": 1, "title": "Lumora"}])
    event = {"type": "message", "subtype": "message_changed", "message": shown}
    assert ignored(delivered(event | {"previous_message": message(text=shown["text"])})) is Reason.NO_POST


def test_the_head_of_a_thread_leaves_a_tombstone() -> None:
    stone = message(subtype="tombstone", text="This message was deleted.", thread_ts=TS)
    post = the_post(delivered({"type": "message", "subtype": "message_changed", "message": stone}))
    assert (post.change, post.native_id, post.text) == ("deleted", f"C0LAMPS:{TS}", None)


def test_other_bots_are_ignored_and_the_own_one_is_not() -> None:
    event = message(text="Your order is on its way", bot_id="B1", app_id="A0OTHER")
    assert ignored(delivered(event)) is Reason.AUTOMATIC
    assert the_post(delivered(event | {"app_id": "A0LUMORA"}), Account()).own


def test_a_file_tells_what_is_heard_in_it() -> None:
    heard = {"transcription": {"status": "complete", "preview": {"content": "my lamp flickers"}}}
    files = [{"mimetype": "audio/mp4", "duration_ms": 2900} | heard, {"id": "F2", "mode": "tombstone"}]
    (media,) = the_post(delivered(message(text="", files=files))).media
    assert (media.kind, media.duration_seconds, media.transcript) == ("audio", 2, "my lamp flickers")


def test_a_page_of_a_history_takes_its_channel_from_who_polls() -> None:
    page = {"ok": True, "channel": "C0LAMPS", "messages": [in_thread(), message(subtype="channel_join", text="x")]}
    reply, joined = outcomes(page)
    assert isinstance(reply, RawPost)
    assert reply.native_id == "C0LAMPS:1795338100.000100"
    assert joined == Ignored(Reason.NO_POST, "a message of subtype channel_join")


def test_an_edit_that_is_read_later_counts_as_one() -> None:
    edited = message(text="Why not?", edited={"user": "U0MARTA", "ts": "1795338060.000000"})
    post = the_post({"ok": True, "messages": [edited]})
    assert (post.change, post.revision, post.native_id) == ("edited", 1795338060, TS)


def test_search_results_name_their_channels() -> None:
    match = message(text="lamp", channel={"id": "C7"}, username="marta", permalink="https://l.slack.example/p1")
    post = the_post({"ok": True, "messages": {"total": 1, "matches": [match]}})
    assert (post.native_id, post.permalink) == (f"C7:{TS}", "https://l.slack.example/p1")


def test_an_envelope_of_socket_mode_is_opened() -> None:
    frame = {"envelope_id": "e1", "type": "events_api", "payload": delivered(message(text="Ciao"))}
    assert the_post(frame) == the_post(delivered(message(text="Ciao")))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"type": "url_verification", "challenge": "c"}, Reason.NO_POST),
        ({"type": "app_rate_limited"}, Reason.NO_POST),
        ({"ok": False, "error": "ratelimited"}, Reason.NO_POST),
        ({"ok": True, "channel": "C1", "ts": TS, "message": message(text="sent")}, Reason.NO_POST),
        ({"ok": True, "messages": []}, Reason.NO_POST),
        (delivered({"type": "reaction_added", "item": {"type": "message", "ts": TS}}), Reason.NO_POST),
        (delivered(message(subtype="message_replied", message=message())), Reason.NO_POST),
        (delivered(message(subtype="ekm_access_denied", text="hidden")), Reason.ENCRYPTED),
        (delivered(message(text="Reminder: tea.", user="USLACKBOT")), Reason.AUTOMATIC),
        (delivered(message(text="")), Reason.NO_CONTENT),
        (delivered({"type": "message", "text": "no name"}), Reason.NO_ID),
    ],
)
def test_what_is_no_post_says_why(content: Any, reason: Reason) -> None:
    assert ignored(content) is reason


def test_a_slash_command_comes_as_a_form() -> None:
    (found,) = normalize(b"token=t&command=%2Flumora&text=help", ACCOUNT)
    assert found == Ignored(Reason.NO_POST, "a form: an interaction or a slash command")
