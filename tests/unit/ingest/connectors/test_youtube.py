"""What is special about YouTube: threads within pages, text in two forms, edits seen by their time."""

import json
from typing import Any

import pytest

from services.ingest.connector import Account, Ignored, Reason
from services.ingest.connectors.youtube import normalize
from services.ingest.rawpost import RawPost
from tests.unit.ingest.connectors.specimens.youtube import PUBLISHED, UPDATED, comment, thread


def outcomes(payload: Any) -> list[RawPost | Ignored]:
    return normalize(json.dumps(payload).encode(), Account(id="UClumora"))


def the(payload: Any) -> RawPost:
    (outcome,) = outcomes(payload)
    assert isinstance(outcome, RawPost), outcome
    return outcome


def live(**snippet: Any) -> dict[str, Any]:
    return {"kind": "youtube#liveChatMessage", "id": "LCC.1", "snippet": {"authorChannelId": "UCmarta", **snippet}}


def test_a_thread_is_its_comment_and_the_answers_that_come_with_it() -> None:
    page = {
        "items": [thread(comment("Bella!"), comment("Grazie!", "UgyLumora1.9a", "UClumora", parentId="UgyLumora1"))]
    }
    top, answer = (each for each in outcomes(page) if isinstance(each, RawPost))
    assert (top.native_parent_id, top.native_thread_id) == (None, "UgyLumora1")
    assert (answer.native_parent_id, answer.native_thread_id, answer.own) == ("UgyLumora1", "UgyLumora1", True)
    assert answer.permalink == "https://www.youtube.com/watch?v=v1deo&lc=UgyLumora1.9a"


def test_the_id_of_an_answer_tells_its_parent() -> None:
    assert the(comment("Grazie!", "UgyLumora1.9a")).native_parent_id == "UgyLumora1"


def test_an_edit_is_seen_by_its_time() -> None:
    raw = the(comment("Bellissima!", publishedAt=PUBLISHED, updatedAt=UPDATED))
    assert (raw.change, raw.revision) == ("edited", 1795336860)


def test_text_for_the_screen_is_read_where_the_original_is_not_given() -> None:
    shown = 'Look at <a href="https://e.example">0:42</a><br />It&#39;s <b>dark</b>'
    assert the(comment("", textDisplay=shown)).text == "Look at 0:42\nIt's dark"


@pytest.mark.parametrize(
    ("fields", "author"),
    [
        ({"authorChannelUrl": "http://www.youtube.com/channel/UCother"}, "UCother"),
        ({"authorChannelUrl": ""}, None),
        ({"authorChannelUrl": "http://[broken"}, None),
    ],
)
def test_an_author_without_an_id_is_known_by_the_address(fields: dict[str, Any], author: str | None) -> None:
    raw = the(comment("Bella!", authorChannelId=None, **fields))
    assert (raw.author.id if raw.author else None) == author


def test_a_name_that_is_a_handle_is_one() -> None:
    author = the(comment("Bella!")).author
    assert author
    assert author.handle == "@marta_r"


def test_a_live_message_is_a_post() -> None:
    raw = the(live(type="textMessageEvent", textMessageDetails={"messageText": "Hello!"}, publishedAt=PUBLISHED))
    assert (raw.text, raw.author and raw.author.id) == ("Hello!", "UCmarta")


def test_a_live_message_that_is_removed_is_deleted() -> None:
    raw = the(live(type="messageDeletedEvent", messageDeletedDetails={"deletedMessageId": "LCC.0"}))
    assert (raw.change, raw.native_id) == ("deleted", "LCC.0")


def test_what_search_finds_is_escaped_and_what_a_video_says_is_not() -> None:
    snippet = {"title": "Lamps &amp; light", "channelId": "UCmarta", "description": "Reviewed"}
    found = the({"kind": "youtube#searchResult", "id": {"videoId": "v1deo"}, "snippet": snippet})
    video = the({"kind": "youtube#video", "id": "v1deo", "snippet": {**snippet, "defaultLanguage": "zxx"}})
    assert (found.text, found.native_id) == ("Lamps & light\n\nReviewed", "v1deo")
    assert (video.text, video.language) == ("Lamps &amp; light\n\nReviewed", None)


@pytest.mark.parametrize(
    "payload",
    [
        {"error": {"code": 403, "errors": [{"reason": "commentsDisabled"}]}},
        {"kind": "youtube#commentThreadListResponse", "items": []},
        {"kind": "youtube#channel", "id": "UClumora", "snippet": {"title": "Lumora"}},
        {"kind": "youtube#searchResult", "id": {"channelId": "UClumora"}, "snippet": {"title": "Lumora"}},
        live(type="chatEndedEvent"),
    ],
)
def test_what_nobody_said_is_no_post(payload: Any) -> None:
    (outcome,) = outcomes(payload)
    assert isinstance(outcome, Ignored)
    assert outcome.reason is Reason.NO_POST
