"""Standard Webhooks (https://www.standardwebhooks.com): our own events, from whoever has no connector of its own.

This is the network "generic": where an integration names another one, its posts carry that name (hookbody.py).
"""

from typing import Final

import msgspec

from services.ingest.connector import (
    MALFORMED,
    Account,
    Capabilities,
    Connector,
    Ignored,
    Outcome,
    Reason,
    all_of,
    yes,
)
from services.ingest.connectors._captured import read_captured
from services.ingest.connectors._ownshape import invalid, items, shortened
from services.ingest.hookbody import parse_hook
from services.ingest.payload import Node
from services.ingest.rawpost import Invalid
from services.ingest.verification import STANDARD_WEBHOOKS

NETWORK: Final = "standard_webhooks"
POSTS_NETWORK: Final = "generic"


def normalize(body: bytes, account: Account) -> list[Outcome]:  # noqa: ARG001 - `own` says whose a post is
    """Read an event, also as a captured request of headers and body."""
    captured = read_captured(body)
    if captured is None or not captured.document["type"].text():
        return [MALFORMED]
    event = captured.document
    posts = parse_hook(_shortened(event), POSTS_NETWORK)
    if not isinstance(posts, Invalid):
        return all_of(posts)
    if posts.field == "type":
        return [Ignored(Reason.NO_POST, f"an event of type {event['type'].text()}")]
    return [invalid(posts)]


def _shortened(event: Node) -> bytes:
    data = event["data"]
    posts = [shortened(each) if each.is_object() else each.value for each in items(data)]
    return msgspec.json.encode({"type": event["type"].value, "data": posts if data.is_list() else posts[0]})


CONNECTOR: Final = Connector(
    network=NETWORK,
    title="Standard Webhooks",
    transports=("webhook",),
    normalize=normalize,
    verification=STANDARD_WEBHOOKS,
    capabilities=Capabilities(
        edits=yes("post.edited, with a revision of 2 or more"),
        deletes=yes("post.deleted"),
        threads=yes("native_thread_id and native_parent_id"),
        own_posts=yes("own, or own_authors of the integration"),
        media=yes("kind, address, alternative text, length, transcript"),
        language=yes("language"),
        permalinks=yes("permalink"),
        reply=yes("a signed webhook to the address of the integration"),
        limits="1 MiB and 100 posts a delivery, within 300 s of its timestamp",
        proven=("the envelope of the specification",),
        unproven=(),
    ),
)
