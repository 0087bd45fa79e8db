"""Apple App Store: the feed with its labels, App Store Connect with its answers, and what is no review."""

import json
from typing import Any

import pytest

from services.ingest.connector import MALFORMED, Account, Ignored, Outcome, Reason
from services.ingest.connectors.apple_app_store import normalize
from services.ingest.rawpost import RawPost
from tests.unit.ingest.connectors.specimens.apple_app_store import ANSWER, review


def read(document: Any) -> list[Outcome]:
    return normalize(json.dumps(document).encode(), Account())


def labels(**values: Any) -> dict[str, Any]:
    return {name.replace("im_", "im:"): {"label": value} for name, value in values.items()}


def entry(**values: Any) -> dict[str, Any]:
    author = {"name": {"label": "lampenfan"}, "uri": {"label": "https://itunes.apple.com/de/reviews/id77"}}
    return labels(id="5001", im_rating="2", title="Dunkel", content="Geht nicht an.", **values) | {"author": author}


XML = b"""<?xml version="1.0" encoding="utf-8"?>
<feed xmlns:im="http://itunes.apple.com/rss" xmlns="http://www.w3.org/2005/Atom" xml:lang="de">
  <id>https://feeds.example/de/rss/customerreviews</id>
  <entry>
    <updated>2026-11-07T08:10:34-07:00</updated><id>5001</id><title>Dunkel</title>
    <content type="text">Geht nicht an &amp; aus.</content><im:rating>2</im:rating><im:version>5.4.0</im:version>
    <author><name>lampenfan</name><uri>https://itunes.apple.com/de/reviews/id77</uri></author>
    <content type="html">&lt;table&gt;Geht nicht&lt;/table&gt;</content>
  </entry>
</feed>"""
APP = labels(im_name="Lumora", id="https://apps.apple.com/de/app/lumora/id1") | {"im:artist": {"label": "Lumora"}}


@pytest.mark.parametrize("entries", [entry(), [entry()]])
def test_a_feed_of_one_review_may_hold_an_object_or_a_list(entries: Any) -> None:
    [found] = read({"feed": {"entry": entries}})
    assert isinstance(found, RawPost)
    assert (found.native_id, found.rating, found.text) == ("5001", 2, "Dunkel\n\nGeht nicht an.")
    assert found.author is not None
    assert (found.author.id, found.author.display_name) == ("77", "lampenfan")


def test_the_feed_is_the_same_as_xml() -> None:
    [found] = normalize(XML, Account())
    assert isinstance(found, RawPost)
    assert (found.native_id, found.rating, found.text) == ("5001", 2, "Dunkel\n\nGeht nicht an & aus.")
    assert (found.author and found.author.id, found.create_time is not None) == ("77", True)


@pytest.mark.parametrize(
    "body", [b"<", b"<rss/>", b"<feed/>", XML.replace(b"<feed", b"<!DOCTYPE feed [<!ENTITY a 'b'>]><feed", 1)]
)
def test_xml_that_is_no_such_feed_is_malformed(body: bytes) -> None:
    assert normalize(body, Account()) == [MALFORMED]


def test_the_feed_tells_the_time_where_it_has_it() -> None:
    [found] = read({"feed": {"entry": entry(updated="2026-11-07T08:10:34-07:00")}})
    assert isinstance(found, RawPost)
    assert found.create_time is not None
    assert found.create_time.isoformat() == "2026-11-07T08:10:34-07:00"


def test_the_first_entry_may_be_the_app_itself() -> None:
    first, second = read({"feed": {"entry": [APP, entry()]}})
    assert isinstance(first, Ignored)
    assert first.reason is Reason.NO_POST
    assert isinstance(second, RawPost)


@pytest.mark.parametrize("told_by", ["the review", "the answer"])
def test_an_included_answer_is_our_own_post_beneath_its_review(told_by: str) -> None:
    listed, answered = review(rating=1, body="Nope"), dict(ANSWER)
    if told_by == "the review":
        listed["relationships"] = {"response": {"data": {"type": "customerReviewResponses", "id": ANSWER["id"]}}}
        del answered["relationships"]
    _, found = read({"data": [listed], "included": [answered]})
    assert isinstance(found, RawPost)
    assert (found.own, found.native_id, found.native_parent_id) == (True, "5f0e-answer", "00000041-lum")
    assert found.native_thread_id == "00000041-lum"


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"feed": {}}, Reason.NO_POST),
        ({"errors": [{"status": "429"}]}, Reason.NO_POST),
        ({"data": {"type": "apps", "id": "1"}}, Reason.NO_POST),
        ({"data": {**ANSWER, "relationships": {}}}, Reason.NO_ID),
        ({"data": {"type": "customerReviews", "attributes": {"rating": 4}}}, Reason.NO_ID),
        ({"data": review(title="")}, Reason.NO_CONTENT),
    ],
)
def test_what_is_no_review_says_why(document: Any, reason: Reason) -> None:
    [found] = read(document)
    assert isinstance(found, Ignored)
    assert found.reason is reason
