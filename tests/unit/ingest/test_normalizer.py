"""What a source says, and the event that everybody reads."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from ascolto.posts.v1 import post_pb2 as posts
from contracts.codec import decode, encode
from contracts.integrations import Integration
from contracts.topics import POSTS
from services.ingest.decoding import convert
from services.ingest.normalizer import Accepted, Normalizer
from services.ingest.rawpost import Invalid, RawPost
from tests.unit.ingest.records import record_of

KEY = b"k" * 32
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
IMPORT = Integration(id="acme-import", tenant="acme", kind="import", own_authors=frozenset({"@Acme", "77"}))
MINIMAL: dict[str, Any] = {
    "network": "x",
    "kind": "public_post",
    "native_id": "1",
    "author": {"id": "u1"},
    "text": "Why?",
}


def normalized(integration: Integration = IMPORT, **fields: Any) -> Accepted | Invalid:
    raw = convert({**MINIMAL, **fields}, RawPost)
    if isinstance(raw, Invalid):
        return raw
    return Normalizer(integration, KEY).normalize(raw, received_at=NOW)


def accepted(integration: Integration = IMPORT, **fields: Any) -> Accepted:
    result = normalized(integration, **fields)
    assert isinstance(result, Accepted), result
    return result


def post_of(**fields: Any) -> posts.Post:
    return accepted(**fields).event.message.post


def test_what_a_source_does_not_say_stays_unset() -> None:
    post = post_of()
    said = {field.name for field, _ in post.ListFields()}
    assert said.isdisjoint({"create_time", "reach", "permalink", "native_parent_id"})
    assert {field.name for field, _ in post.utterance.ListFields()} == {"author", "text"}
    assert {field.name for field, _ in post.utterance.author.ListFields()} == {"subject"}


def test_everything_a_source_says_is_carried() -> None:
    post = post_of(
        native_thread_id="root",
        native_parent_id="parent",
        author={"id": "u1", "handle": "@ann", "display_name": "Ann\tB", "verified": False},
        language="pt_BR",
        create_time="2026-11-01T10:00:00.5+02:00",
        permalink="https://x.example/1",
        rating=4,
        followers=0,
        views=7,
        media=[{"kind": "image", "url": "https://x.example/i.png", "alt_text": " a lamp "}],
    )
    assert (post.native_thread_id, post.native_parent_id) == ("root", "parent")
    assert post.create_time.ToDatetime(UTC) == datetime(2026, 11, 1, 8, 0, 0, 500_000, UTC)
    assert post.utterance == posts.Utterance(
        author=posts.Author(subject=post.utterance.author.subject, handle="ann", display_name="Ann B", verified=False),
        text="Why?",
        language_hint="pt-BR",
        media=[posts.Media(kind=posts.Media.KIND_IMAGE, url="https://x.example/i.png", alt_text="a lamp")],
    )
    assert post.reach == posts.Reach(followers=0, views=7, rating=4)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("  caffe\u0300 \r\n\tbuono  ", "caff\u00e8 \n\tbuono"),
        ("a\x00b\x1bc\x7fd\u0085e", "abcd\ne"),
        ("👩\u200d🚀 zero-width joiners make one emoji", "👩\u200d🚀 zero-width joiners make one emoji"),
        ("\u2028line", "line"),
    ],
)
def test_text_is_cleaned(given: str, kept: str) -> None:
    assert post_of(text=given).utterance.text == kept


@pytest.mark.parametrize(
    ("fields", "direction"),
    [
        ({}, posts.DIRECTION_INBOUND),
        ({"own": True}, posts.DIRECTION_OWN),
        ({"own": True, "author": None}, posts.DIRECTION_OWN),
        ({"author": {"id": "77"}}, posts.DIRECTION_OWN),
        ({"author": {"id": "1", "handle": "@ACME"}}, posts.DIRECTION_OWN),
        ({"author": {"id": "acme"}}, posts.DIRECTION_OWN),
        ({"author": {"id": "1", "handle": "acme_fan", "display_name": "acme"}}, posts.DIRECTION_INBOUND),
    ],
)
def test_own_posts_are_recognised(fields: dict[str, Any], direction: int) -> None:
    assert post_of(**fields).direction == direction


@pytest.mark.parametrize(
    ("fields", "root"),
    [
        ({}, "1"),
        ({"native_parent_id": "p"}, "p"),
        ({"native_parent_id": "p", "native_thread_id": "t"}, "t"),
    ],
)
def test_the_thread_root_is_the_best_that_is_known(fields: dict[str, Any], root: str) -> None:
    assert post_of(**fields).native_thread_id == root


def test_posts_of_a_thread_share_a_conversation_that_hides_the_root() -> None:
    first, second = accepted(native_id="+391234"), accepted(native_id="2", native_thread_id="+391234")
    assert first.conversation_id == second.conversation_id
    assert "391234" not in first.conversation_id
    other_network = accepted(native_id="+391234", network="sms")
    assert other_network.conversation_id != first.conversation_id


def test_two_accounts_of_a_tenant_never_share_a_conversation() -> None:
    other = IMPORT.model_copy(update={"id": "acme-other"})
    assert accepted(other).conversation_id != accepted().conversation_id


def test_a_deletion_carries_nothing_personal() -> None:
    result = accepted(change="deleted", revision=3)
    post = result.event.message.post
    assert not post.HasField("utterance")
    assert (post.state, post.revision) == (posts.STATE_DELETED, 3)
    assert result.event.message.change == posts.PostReceived.CHANGE_DELETED


def test_an_edit_is_a_new_event_of_the_same_post() -> None:
    created, edited = accepted(), accepted(change="edited", revision=2)
    assert edited.post_id == created.post_id
    assert edited.event.metadata.event_id != created.event.metadata.event_id
    assert edited.event.message.post.state == posts.STATE_EDITED


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"kind": "tweet"}, "kind"),
        ({"native_id": ""}, "native_id"),
        ({"native_id": "a\x00"}, "native_id"),
        ({"native_id": 7}, "native_id"),
        ({"network": "Big X"}, "network"),
        ({"author": None}, "author"),
        ({"author": {}}, "author.id"),
        ({"author": {"id": "u", "age": 7}}, "author.age"),
        ({"text": None}, "text"),
        ({"text": " \n "}, "text"),
        ({"text": "x" * 50_001}, "text"),
        ({"rating": 6}, "rating"),
        ({"rating": float("nan")}, "rating"),
        ({"followers": -1}, "followers"),
        ({"views": 2**63}, "views"),
        ({"create_time": "2026-11-22 9 am"}, "create_time"),
        ({"create_time": "2026-11-22T09:00:00"}, "create_time"),
        ({"create_time": "0001-01-01T00:00:00+14:00"}, "create_time"),
        ({"language": "the Queen's"}, "language"),
        ({"media": [{"kind": "image"}, {"kind": "smell"}]}, "media[1].kind"),
        ({"media": [{"kind": "file"}] * 21}, "media"),
        ({"media": [{"kind": "file", "transcript": "\U0001f4a1" * 50_000}] * 5}, ""),
        ({"change": "edited"}, "revision"),
        ({"change": "edited", "revision": 1}, "revision"),
        ({"revision": 2}, "revision"),
        ({"change": "deleted", "revision": 0}, "revision"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, Any], field: str) -> None:
    result = normalized(**fields)
    assert isinstance(result, Invalid)
    assert result.field == field
    assert result.description


@pytest.mark.parametrize("fields", [{"rating": 5.0}, {"media": [{"kind": "image"}]}])
def test_a_post_may_go_without_words(fields: dict[str, Any]) -> None:
    assert post_of(text=None, **fields).utterance.text == ""


def test_an_integration_of_one_network_takes_no_other() -> None:
    result = normalized(IMPORT.model_copy(update={"network": "telegram"}))
    assert result == Invalid("network", "this integration hears telegram only")


def test_the_event_survives_its_consumers_checks() -> None:
    result = accepted(create_time=datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone(timedelta(hours=14))))
    outgoing = encode(POSTS, result.conversation_id, result.event)
    assert decode(record_of(outgoing)) == result.event


def test_the_key_decides_who_is_who() -> None:
    raw = convert(MINIMAL, RawPost)
    assert isinstance(raw, RawPost)
    other = Normalizer(IMPORT, b"q" * 32).normalize(raw, received_at=NOW)
    assert isinstance(other, Accepted)
    assert other.event.message.post.utterance.author.subject != post_of().utterance.author.subject
    assert other.event.metadata.event_id == accepted().event.metadata.event_id
