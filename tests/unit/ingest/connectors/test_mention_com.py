"""Mention: texts where the API has numbers, titles that are said twice, authors that pages lack."""

import json
from typing import Any

import pytest

from services.ingest.connector import Account, Ignored
from services.ingest.connectors.mention_com import normalize
from services.ingest.rawpost import RawPost
from tests.unit.ingest.connectors.specimens.mention_com import mention


def only(document: Any) -> RawPost:
    [found] = normalize(json.dumps(document).encode(), Account())
    assert isinstance(found, RawPost)
    return found


@pytest.mark.parametrize(
    ("title", "description", "text"),
    [
        ("Lumora Glow", "A warm light.", "Lumora Glow\n\nA warm light."),
        ("My Glow went dark…", "My Glow went dark again, twice.", "My Glow went dark again, twice."),
        ("Lumora Glow", "", "Lumora Glow"),
        ("", "A warm light.", "A warm light."),
    ],
)
def test_a_title_is_said_once(title: str, description: str, text: str) -> None:
    assert only(mention(title=title, description=description)).text == text


@pytest.mark.parametrize(
    ("fields", "author"),
    [
        ({"author_influence": {"id": "5", "author_unique_id": "u-9"}}, "u-9"),
        ({"author_influence": {"id": 5}}, "5"),
        ({"author_influence__id": "5"}, "5"),
        ({"author_influence": ""}, "https://leuchten.example"),
        ({"source_url": ""}, "leuchten.example"),
        ({"source_url": "", "source_name": ""}, "88120"),
    ],
)
def test_who_published_a_page_stands_for_an_author_it_lacks(fields: dict[str, Any], author: str) -> None:
    found = only(mention(description="Lumora", **fields))
    assert found.author is not None
    assert found.author.id == author


def test_fractions_of_any_length_are_read() -> None:
    found = only(mention(description="Lumora", published_at="2026-11-10T06:00:00.22619100+00:00"))
    assert found.create_time is not None
    assert found.create_time.isoformat() == "2026-11-10T06:00:00.226191+00:00"


def test_children_are_mentions_too() -> None:
    parent = mention(description="One", children={"mentions": [mention(id=7, description="Two")]})
    found = normalize(json.dumps({"mentions": [parent]}).encode(), Account())
    assert [each.native_id for each in found if isinstance(each, RawPost)] == ["88120", "7"]


@pytest.mark.parametrize("document", [{"mentions": []}, {"error": "access_denied"}, {"alert": {"id": "1"}}])
def test_other_answers_of_the_api_are_no_posts(document: Any) -> None:
    [found] = normalize(json.dumps(document).encode(), Account())
    assert isinstance(found, Ignored)
    assert found.reason.name == "NO_POST"
