"""The codec keeps events whole and trusts nothing that it reads."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ascolto.posts.v1 import post_pb2 as posts
from chassis.errors import NeverRetry
from chassis.messages import Record
from contracts.codec import decode, encode
from contracts.topics import MAX_VALUE_BYTES, POSTS, QUESTIONS, TOPICS
from tests.factories import make_event, make_post_classified, make_post_received


def _record(**overrides: object) -> Record:
    outgoing = encode(POSTS, "c1", make_event(make_post_received()))
    record = Record(outgoing.topic, 3, 7, 0, outgoing.key, outgoing.value, outgoing.headers)
    return replace(record, **overrides)  # type: ignore[arg-type] # fields of Record


def _with_header(name: str, value: bytes | None) -> Record:
    record = _record()
    others = [(each, content) for each, content in record.headers if each != name]
    return replace(record, headers=others if value is None else [*others, (name, value)])


def _changed(change: Callable[[posts.PostReceived], object]) -> Record:
    message = make_post_received()
    change(message)
    return _record(value=message.SerializeToString())


def test_an_event_survives_the_wire() -> None:
    event = make_event(make_post_classified())
    outgoing = encode(QUESTIONS, "c1", event)
    assert decode(Record(outgoing.topic, 0, 0, 0, b"c1", outgoing.value, outgoing.headers)) == event


@pytest.mark.parametrize(
    ("record", "code"),
    [
        pytest.param(_record(value=None), "VALUE_MISSING", id="no value"),
        pytest.param(_record(value=b"\x0a\xff\xff"), "VALUE_UNREADABLE", id="truncated protobuf"),
        pytest.param(_record(value=b"x" * (MAX_VALUE_BYTES + 1)), "VALUE_TOO_LARGE", id="too large"),
        pytest.param(_record(topic="elsewhere"), "TOPIC_UNKNOWN", id="unknown topic"),
        pytest.param(_with_header("ce_id", None), "HEADER_MISSING", id="no id"),
        pytest.param(_with_header("ce_id", b"17"), "HEADER_INVALID", id="id is no UUID"),
        pytest.param(_with_header("ce_source", b"\xff\xfe"), "HEADER_INVALID", id="header is not UTF-8"),
        pytest.param(_with_header("ce_time", b"yesterday"), "HEADER_INVALID", id="no time"),
        pytest.param(_with_header("ce_type", b"a.B"), "TYPE_UNEXPECTED", id="other type"),
        pytest.param(_with_header("ce_tenantid", b"evil"), "TENANT_MISMATCH", id="other tenant"),
        pytest.param(_changed(lambda m: setattr(m, "change", 99)), "ENUM_UNKNOWN", id="unknown change"),
        pytest.param(_changed(lambda m: setattr(m.post, "kind", 77)), "ENUM_UNKNOWN", id="unknown kind"),
        pytest.param(_changed(lambda m: m.post.ClearField("utterance")), "FIELD_MISSING", id="no utterance"),
        pytest.param(_changed(lambda m: m.post.ClearField("revision")), "FIELD_INVALID", id="no revision"),
        pytest.param(_changed(lambda m: m.post.ClearField("conversation")), "FIELD_MISSING", id="no conversation"),
    ],
)
def test_what_is_wrong_is_named(record: Record, code: str) -> None:
    with pytest.raises(NeverRetry) as refused:
        decode(record)
    assert refused.value.code == code


@given(
    value=st.none() | st.binary(max_size=300),
    headers=st.lists(st.tuples(st.sampled_from(["ce_id", "ce_type", "ce_time", "x"]), st.binary(max_size=40))),
    topic=st.sampled_from([topic.name for topic in TOPICS]),
)
def test_no_bytes_raise_anything_but_never_retry(
    value: bytes | None, headers: list[tuple[str, bytes]], topic: str
) -> None:
    with pytest.raises(NeverRetry):
        decode(Record(topic, 0, 0, 0, None, value, headers))


def test_a_foreign_message_is_not_encoded() -> None:
    with pytest.raises(TypeError, match=r"ascolto\.posts\.v1\.PostReceived"):
        encode(POSTS, "c1", make_event(make_post_classified()))


def test_a_message_past_the_cap_is_not_encoded() -> None:
    with pytest.raises(ValueError, match="bytes"):
        encode(POSTS, "c1", make_event(make_post_received(text="x" * (MAX_VALUE_BYTES + 1))))
