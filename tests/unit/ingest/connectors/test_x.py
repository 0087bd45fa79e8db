"""What is special about X: two generations of objects, versions with ids of their own, and offsets to be doubted."""

import json
from typing import Any

import pytest

from services.ingest.connector import Account, Ignored, Reason
from services.ingest.connectors.x import normalize
from services.ingest.rawpost import RawPost
from tests.unit.ingest.connectors.specimens.x import FIRST, ROOT, SECOND, SPECIMEN

ACCOUNT = Account(id="9000")


def the(payload: Any) -> RawPost:
    (outcome,) = normalize(json.dumps(payload).encode(), ACCOUNT)
    assert isinstance(outcome, RawPost), outcome
    return outcome


def reason(payload: Any) -> Reason:
    (outcome,) = normalize(json.dumps(payload).encode(), ACCOUNT)
    assert isinstance(outcome, Ignored), outcome
    return outcome.reason


def framed(**tweet: Any) -> dict[str, Any]:
    return {"data": {"id": FIRST, "text": "Ciao", **tweet}, "matching_rules": [{"id": "1"}]}


def legacy(**tweet: Any) -> dict[str, Any]:
    user = {"id": 4001, "id_str": "4001", "screen_name": "marta_r", "followers_count": 0}
    return {"id": 1, "id_str": FIRST, "user": user, "created_at": "Sun Nov 22 08:30:00 +0000 2026", **tweet}


def activity(event_type: str, payload: Any) -> dict[str, Any]:
    return {"data": {"event_type": event_type, "filter": {"user_id": "9000"}, "payload": payload}}


def message(sender: str, recipient: str) -> dict[str, Any]:
    created = {"sender_id": sender, "target": {"recipient_id": recipient}, "message_data": {"text": "Hi"}}
    event = {"type": "message_create", "id": "71", "created_timestamp": "1795338000123", "message_create": created}
    return {"direct_message_events": [event], "users": {"4001": {"data": {"id": "4001", "username": "marta_r"}}}}


def test_an_edit_is_known_by_its_first_id_and_shown_by_its_last() -> None:
    raw = the(SPECIMEN.edited("Ciao"))  # type: ignore[misc]
    assert (raw.native_id, raw.revision) == (FIRST, 2)
    assert raw.permalink == f"https://x.com/marta_r/status/{SECOND}"


def test_a_reply_to_an_edited_post_has_the_first_version_as_its_parent() -> None:
    reply = framed(id="7", conversation_id=SECOND, referenced_tweets=[{"type": "replied_to", "id": SECOND}])
    raw = the({**reply, "includes": {"tweets": [{"id": SECOND, "edit_history_tweet_ids": [FIRST, SECOND]}]}})
    assert (raw.native_parent_id, raw.native_thread_id) == (FIRST, FIRST)


def test_a_reply_is_a_comment_in_its_conversation() -> None:
    raw = the(SPECIMEN.created("Ciao"))
    assert (raw.kind, raw.native_parent_id, raw.native_thread_id) == ("public_comment", ROOT, ROOT)
    assert raw.author
    assert (raw.author.handle, raw.followers) == ("marta_r", 31)


def test_a_quote_is_no_reply() -> None:
    raw = the(framed(referenced_tweets=[{"type": "quoted", "id": ROOT}], conversation_id=FIRST))
    assert (raw.kind, raw.native_parent_id, raw.native_thread_id) == ("public_post", None, FIRST)


@pytest.mark.parametrize(
    "payload",
    [
        framed(referenced_tweets=[{"type": "retweeted", "id": ROOT}]),
        framed(text="RT @lumora: New lamps"),
        {"tweet_create_events": [legacy(text="RT @lumora: New", retweeted_status={"id_str": ROOT})]},
        {"data": {"id": FIRST, "text": "sent by us"}},
        {"data": {"deleted": True}},
        {"errors": [{"title": "operational-disconnect"}]},
        {"for_user_id": "9000", "favorite_events": [{"id": "1"}]},
        activity(
            "post.repost.create", {"id": FIRST, "text": "", "referenced_tweets": [{"type": "retweeted", "id": "1"}]}
        ),
        activity("follow.follow", {"source": {"data": {"id": "4001"}}}),
        activity("news.new", {"id": "1", "summary": "Lamps are in the news"}),
        activity("dm.read", {"direct_message_mark_read_events": [{}]}),
        {"meta": {"result_count": 0}},
    ],
)
def test_what_nobody_said_is_no_post(payload: Any) -> None:
    assert reason(payload) is Reason.NO_POST


def test_encrypted_chats_are_told_apart() -> None:
    assert reason(activity("chat.received", {"encoded_event": "CwABAAA"})) is Reason.ENCRYPTED


def test_an_edit_of_which_only_ids_are_told_must_be_fetched() -> None:
    assert reason({"data": {"tweet_edit": {"tweet": {"id": SECOND}}}}) is Reason.IDS_ONLY


@pytest.mark.parametrize(
    "payload",
    [
        {"for_user_id": "9000", "tweet_delete_events": [{"status": {"id": FIRST, "user_id": "4001"}}]},
        {"delete": {"status": {"id_str": FIRST, "user_id_str": "4001"}}},
        {"data": {"delete": {"tweet": {"id": FIRST, "author_id": "4001"}}}},
        activity("post.delete", {"id": FIRST, "author_id": "4001"}),
    ],
)
def test_a_deletion_is_told_in_many_ways(payload: Any) -> None:
    raw = the(payload)
    assert (raw.change, raw.native_id, raw.author) == ("deleted", FIRST, None)


def test_a_long_post_is_read_whole() -> None:
    note = {"text": "Whole @lumora", "entities": {"mentions": [{"start": 6, "end": 13, "username": "lumora"}]}}
    raw = the(framed(text="Who…", note_tweet=note))
    assert (raw.text, [(each.start, each.end) for each in raw.spans]) == ("Whole @lumora", [(6, 13)])


def test_an_extended_post_is_read_whole() -> None:
    whole = {"full_text": "All of it", "extended_entities": {"media": [{"type": "animated_gif"}]}}
    raw = the({"tweet_create_events": [legacy(text="All…", truncated=True, extended_tweet=whole)]})
    assert (raw.text, raw.media[0].kind, raw.followers) == ("All of it", "video", 0)


def test_places_survive_what_x_escapes() -> None:
    urls = [{"start": 18, "end": 32, "url": "https://t.co/a", "expanded_url": "https://lumora.example"}]
    hashtags = [{"start": 12, "end": 17, "tag": "Lamp"}]
    raw = the(framed(text="A &amp; B &lt; #Lamp https://t.co/a", entities={"urls": urls, "hashtags": hashtags}))
    assert raw.text == "A & B < #Lamp https://t.co/a"
    assert [raw.text[each.start : each.end] for each in raw.spans] == ["#Lamp", "https://t.co/a"]
    assert raw.spans[1].target == "https://lumora.example"


def test_the_nearest_of_equal_words_is_meant() -> None:
    mentions = [{"start": 8, "end": 10, "username": "a", "id": "5"}]
    assert [each.start for each in the(framed(text="@a and 📦@a", entities={"mentions": mentions})).spans] == [8]


def test_media_come_from_what_is_included_or_from_their_key() -> None:
    video = {"media_key": "7_1", "type": "video", "duration_ms": 4600, "alt_text": "A lamp"}
    variants = [{"url": "https://v.example/m3u8"}, {"bit_rate": 9, "url": "https://v.example/mp4"}]
    tweet = framed(attachments={"media_keys": ["7_1", "3_2"]})
    first, second = the({**tweet, "includes": {"media": [{**video, "variants": variants}]}}).media
    assert (first.kind, first.url, first.duration_seconds) == ("video", "https://v.example/mp4", 5)
    assert (second.kind, second.url) == ("image", None)


@pytest.mark.parametrize("code", ["und", "zxx", "qme"])
def test_no_language_is_none(code: str) -> None:
    assert the(framed(lang=code)).language is None


def test_both_sides_of_a_direct_message_are_one_conversation() -> None:
    received, sent = the(activity("dm.received", message("4001", "9000"))), the({**message("9000", "4001")})
    assert received.native_thread_id == sent.native_thread_id == "4001-9000"
    assert (received.own, sent.own, received.author and received.author.handle) == (False, True, "marta_r")


def test_the_subscriber_of_private_events_is_the_account() -> None:
    payload = activity("dm.sent", message("9000", "4001"))
    (outcome,) = normalize(json.dumps(payload).encode(), Account())
    assert isinstance(outcome, RawPost)
    assert outcome.own


def test_direct_messages_of_a_list_name_their_conversation() -> None:
    event = {"id": "8", "event_type": "MessageCreate", "sender_id": "4001", "dm_conversation_id": "4001-9000"}
    joined = {"id": "9", "event_type": "ParticipantsJoin"}
    first, second = normalize(json.dumps({"data": [{**event, "text": "Hi"}, joined]}).encode(), ACCOUNT)
    assert isinstance(first, RawPost)
    assert (first.kind, first.native_thread_id) == ("direct_message", "4001-9000")
    assert isinstance(second, Ignored)


def test_every_event_of_a_delivery_is_read() -> None:
    payload = {"for_user_id": "9000", "tweet_create_events": [legacy(text="a"), legacy(text="b")], "user_event": {}}
    assert len(normalize(json.dumps(payload).encode(), ACCOUNT)) == 3


def test_an_address_too_long_for_us_costs_its_place_no_more_than_its_target() -> None:
    urls = [{"start": 0, "end": 14, "url": "https://t.co/a", "expanded_url": f"https://e.example/{'x' * 600}"}]
    raw = the(framed(text="https://t.co/a", entities={"urls": urls}))
    assert [(each.start, each.end, each.target) for each in raw.spans] == [(0, 14, None)]


@pytest.mark.parametrize("start", [-5, 2**70, 10**6])
def test_a_place_that_cannot_be_is_looked_up(start: int) -> None:
    raw = the(framed(text="to @a", entities={"mentions": [{"start": start, "end": start + 2, "username": "a"}]}))
    assert [(each.start, each.end) for each in raw.spans] == [(3, 5)]
