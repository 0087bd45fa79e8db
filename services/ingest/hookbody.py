"""The body of a Standard Webhook: one change, of one post or of up to a hundred."""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import asdict

from services.ingest.decoding import decode_json
from services.ingest.rawpost import Change, Invalid, PostFields, RawPost

MAX_POSTS: Final = 100

_CHANGES: Final[dict[str, Change]] = {
    "post.created": "created",
    "post.edited": "edited",
    "post.deleted": "deleted",
}


class _Body(Struct, frozen=True):
    """The envelope of the Standard Webhooks specification, which allows further keys beside these."""

    type: Literal["post.created", "post.edited", "post.deleted"]
    data: PostFields | Annotated[tuple[PostFields, ...], Meta(min_length=1, max_length=MAX_POSTS)]


_DECODER: Final = msgspec.json.Decoder(_Body)


def parse_hook(body: bytes, network: str) -> list[RawPost] | Invalid:
    """Read the posts of a delivery; the integration says on which network they were written."""
    read = decode_json(_DECODER, body)
    if isinstance(read, Invalid):
        return read
    change = _CHANGES[read.type]
    posts = read.data if isinstance(read.data, tuple) else (read.data,)
    return [RawPost(network=network, change=change, **asdict(post)) for post in posts]


def position(count: int, index: int, invalid: Invalid) -> Invalid:
    """Name the field of post `index` of a delivery of `count` as the sender wrote it."""
    place = "data" if count == 1 else f"data[{index}]"
    return Invalid(f"{place}.{invalid.field}".rstrip("."), invalid.description)
