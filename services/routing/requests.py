"""What a caller of RoutingService asks for, read and checked before anything is done."""

import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from ascolto.classification.v1 import classification_pb2 as classification
from ascolto.posts.v1 import post_pb2 as posts
from ascolto.routing.v1 import routing_service_pb2 as pb
from chassis.api_errors import invalid_argument, not_found
from chassis.cursor import CursorCodec, binding_of
from contracts.identity import post_name
from services.routing.labels import CATEGORY_OF_KIND
from services.routing.store.decisions import Place
from services.routing.vocabulary import CATEGORY_WORDS, KIND_WORDS, primary_language

DEFAULT_PAGE: Final = 50
MAX_PAGE: Final = 200
MAX_ITEMS: Final = 500
MAX_REASON_CHARACTERS: Final = 500
MAX_NAME_CHARACTERS: Final = 200
"""Of what a caller names; no name of ours is longer."""
_MAX_STARS: Final = 5
_NAME_PARTS: Final = 4
_PURPOSE: Final = "routing.triage.page"
_MOMENT: Final = struct.Struct(">q")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_SOMETHING: Final = "-"
"""Stands in a dry run for an id that exists and does not matter."""


def post_of(name: str, tenant: str) -> str:
    """The name of a post as it is stored; the posts of others do not exist for this caller."""
    if len(name) > MAX_NAME_CHARACTERS:
        raise invalid_argument("post", f"has more than {MAX_NAME_CHARACTERS} characters: it is no name of a post")
    parts = name.split("/")
    if len(parts) != _NAME_PARTS or parts[0] != "tenants" or parts[2] != "posts":
        raise invalid_argument("post", "is not tenants/{tenant}/posts/{post}")
    try:
        found = post_name(parts[1], UUID(parts[3]))
    except ValueError:
        raise not_found(name) from None
    if parts[1] != tenant:
        raise not_found(name)
    return found


def page_size_of(given: int) -> int:
    """How many posts a page holds."""
    if given < 0:
        raise invalid_argument("page_size", f"must be from 1 to {MAX_PAGE}, or 0 for {DEFAULT_PAGE}")
    return min(given, MAX_PAGE) or DEFAULT_PAGE


def languages_of(given: Sequence[str]) -> tuple[str, ...]:
    """Primary subtags in one order, whatever order they came in."""
    if any("\x00" in tag for tag in given):
        raise invalid_argument("languages", "holds a NUL character")
    return tuple(sorted({primary_language(tag) for tag in given}))


def check_correction(request: pb.CorrectCategoryRequest) -> None:
    """ApiError INVALID_ARGUMENT where the request cannot be meant, whatever stands of the post."""
    if request.category not in CATEGORY_WORDS:
        raise invalid_argument("category", "say what the post is: a question, complaint, feedback or other")
    if request.kind and CATEGORY_OF_KIND.get(request.kind) != request.category:
        known = ", ".join(KIND_WORDS[kind] for kind, of in CATEGORY_OF_KIND.items() if of == request.category)
        word = CATEGORY_WORDS[request.category]
        raise invalid_argument("kind", f"is not of the category {word}, whose kinds are {known}; or leave it out")
    if not request.reason.strip():
        raise invalid_argument("reason", "is missing: say why, for your colleagues and for better models")
    if len(request.reason) > MAX_REASON_CHARACTERS:
        raise invalid_argument("reason", f"has more than {MAX_REASON_CHARACTERS} characters: shorten it")
    if "\x00" in request.reason:
        raise invalid_argument("reason", "holds a NUL character")
    if not request.etag:
        raise invalid_argument("etag", "is missing: send the etag of the decision that you correct")


def received_of(items: Sequence[pb.ClassifyRequest.Item], tenant: str) -> list[posts.PostReceived]:
    """Posts that hold nothing but what the items say."""
    if len(items) > MAX_ITEMS:
        raise invalid_argument("items", f"are more than {MAX_ITEMS}: send them in several calls")
    for at, item in enumerate(items):
        if item.HasField("rating") and not 1 <= item.rating <= _MAX_STARS:
            raise invalid_argument(f"items[{at}].rating", f"must be from 1 to {_MAX_STARS}")
    return [_received(item, tenant) for item in items]


def _received(item: pb.ClassifyRequest.Item, tenant: str) -> posts.PostReceived:
    post = posts.Post(
        name=post_name(tenant, UUID(int=0)),
        network=item.network,
        revision=1,
        state=posts.STATE_LIVE,
        direction=posts.DIRECTION_INBOUND,
        utterance=posts.Utterance(text=item.text),
    )
    if item.HasField("language_hint"):
        post.utterance.language_hint = item.language_hint
    if item.HasField("rating"):
        post.reach.rating = item.rating
    if item.HasField("followers"):
        post.reach.followers = item.followers
    if item.reply:
        post.native_parent_id = _SOMETHING
    return posts.PostReceived(post=post, change=posts.PostReceived.CHANGE_CREATED)


class Tokens:
    """Page tokens: signed, and good only for the tenant and filter that they were made for."""

    def __init__(self, codec: CursorCodec) -> None:
        self._codec = codec

    def page(self, tenant: str, languages: Sequence[str], place: Place) -> str:
        """The token of the page behind `place`."""
        payload = _MOMENT.pack((place.priority_at - _EPOCH) // _MICROSECOND) + place.post_name.encode()
        return self._codec.seal_page_token(_PURPOSE, binding_of(tenant, *languages), payload)

    def place(self, tenant: str, languages: Sequence[str], token: str) -> Place | None:
        """Behind what the page of `token` begins; None where there is none: at the beginning."""
        if not token:
            return None
        payload = self._codec.open_page_token(_PURPOSE, binding_of(tenant, *languages), token)
        (microseconds,) = _MOMENT.unpack_from(payload)
        return Place(_EPOCH + microseconds * _MICROSECOND, payload[_MOMENT.size :].decode())


def kind_word(kind: classification.Kind.ValueType) -> str | None:
    """As a label keeps it."""
    return KIND_WORDS[kind] if kind else None
