"""Posts on the wire of `IngestService`."""

from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from ascolto.ingest.v1.ingest_service_pb2 import SubmittedAuthor, SubmittedPost
from ascolto.posts.v1 import post_pb2 as posts
from services.ingest.decoding import convert
from services.ingest.rawpost import Invalid, RawPost
from services.ingest.submission import from_submitted, to_submitted

FULL: dict[str, Any] = {
    "network": "x",
    "kind": "review",
    "native_id": "1",
    "native_thread_id": "t",
    "native_parent_id": "p",
    "change": "edited",
    "revision": 2,
    "own": True,
    "author": {"id": "u1", "handle": "ann", "display_name": "Ann", "verified": False},
    "text": "",
    "language": "it",
    "create_time": "2026-11-22T09:00:00.123456Z",
    "permalink": "https://x.example/1",
    "rating": 4.5,
    "followers": 0,
    "views": 7,
    "media": [{"kind": "video", "url": "https://x.example/v", "alt_text": "", "duration_seconds": 0}],
}
MINIMAL = {"network": "x", "kind": "chat", "native_id": "1"}


@pytest.mark.parametrize("fields", [FULL, MINIMAL, {**MINIMAL, "change": "deleted"}])
def test_a_post_survives_the_wire(fields: dict[str, Any]) -> None:
    raw = convert(fields, RawPost)
    assert isinstance(raw, RawPost)
    assert from_submitted(SubmittedPost.FromString(to_submitted(raw).SerializeToString())) == raw


def test_an_unspecified_change_is_a_creation() -> None:
    raw = from_submitted(SubmittedPost(network="x", kind=posts.KIND_CHAT, native_id="1"))
    assert isinstance(raw, RawPost)
    assert raw.change == "created"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": 0}, "kind"),
        ({"kind": 99}, "kind"),
        ({"change": 99}, "change"),
        ({"author": SubmittedAuthor()}, "author.id"),
        ({"media": [posts.Media()]}, "media[0].kind"),
        ({"reach": posts.Reach(rating=float("nan"))}, "rating"),
        ({"create_time": Timestamp(seconds=2**62)}, "create_time"),
        ({"create_time": Timestamp(nanos=-1)}, "create_time"),
    ],
)
def test_what_is_wrong_is_named_as_in_a_row(changes: dict[str, Any], field: str) -> None:
    submitted = SubmittedPost(**{"network": "x", "kind": posts.KIND_CHAT, "native_id": "1", **changes})
    result = from_submitted(submitted)
    assert isinstance(result, Invalid)
    assert result.field == field


INT32 = st.integers(-(2**31), 2**31 - 1)
ANY_POST = st.builds(
    SubmittedPost,
    network=st.text(max_size=5),
    kind=INT32,
    native_id=st.text(max_size=5),
    create_time=st.builds(Timestamp, seconds=st.integers(-(2**63), 2**63 - 1), nanos=INT32),
    revision=INT32,
    change=INT32,
    author=st.builds(SubmittedAuthor, id=st.text(max_size=5), handle=st.text(max_size=5)),
    text=st.text(),
    language=st.text(max_size=5),
    media=st.lists(st.builds(posts.Media, kind=INT32, duration_seconds=INT32), max_size=2),
    reach=st.builds(posts.Reach, followers=st.integers(-(2**63), 2**63 - 1), rating=st.floats(width=32)),
)


@given(ANY_POST)
def test_no_message_raises(submitted: SubmittedPost) -> None:
    assert isinstance(from_submitted(submitted), RawPost | Invalid)
