"""Facebook pages: posts, comments, mentions and ratings, by webhook or the Graph API."""

from collections.abc import Iterator
from typing import Final

from services.ingest.connector import (
    MALFORMED,
    Account,
    Capabilities,
    Connector,
    Outcome,
    all_of,
    no,
    partly,
    yes,
)
from services.ingest.connectors._graph_messages import is_conversation, is_message, read_conversation, read_message
from services.ingest.connectors._messaging import read_deliveries, read_event
from services.ingest.connectors._meta import GRAPH_ERROR, context_of, nodes, read_documents
from services.ingest.connectors._page_feed import read_page_change
from services.ingest.connectors._page_graph import read_page_node
from services.ingest.payload import Node
from services.ingest.verification import META

NETWORK: Final = "facebook_page"


def normalize(body: bytes, account: Account) -> list[Outcome]:
    """Read a delivery of webhooks, or an object or a list of the Graph API; messages to the page are read too."""
    documents = read_documents(body)
    if not documents:
        return [MALFORMED]
    return all_of(each for document in documents for each in _document(document, account))


def _document(document: Node, account: Account) -> Iterator[Outcome]:
    if "entry" in document or "field" in document or "sample" in document:
        yield from read_deliveries(document, NETWORK, account, read_page_change)
    elif document["error"].is_object():
        yield GRAPH_ERROR
    elif document["sender"].is_object():
        yield read_event(document, context_of(NETWORK, account))
    else:
        yield from _objects(document, account)


def _objects(document: Node, account: Account) -> Iterator[Outcome]:
    context = context_of(NETWORK, account)
    for node, edge in nodes(document):
        if is_conversation(node):
            yield from read_conversation(node, context)
        elif is_message(node):
            yield read_message(node, context)
        else:
            yield from read_page_node(node, context, edge)


CONNECTOR: Final = Connector(
    network=NETWORK,
    title="Facebook page",
    transports=("webhook", "poll"),
    normalize=normalize,
    verification=META,
    capabilities=Capabilities(
        edits=partly("webhook verb `edited`; the revision is the second of the delivery; lists do not tell of edits"),
        deletes=partly("webhook verb `remove`; a poll cannot tell"),
        threads=yes("post_id is the thread, parent_id the parent; from a comment's address where a list has no ids"),
        own_posts=yes("from.id is the page: the entry of the delivery, or `account`"),
        media=yes("photos and videos with their addresses, which expire"),
        language=no("never told"),
        permalinks=partly("permalink_url, where the API gives it"),
        reply=yes("POST /{comment}/comments; one private reply to a comment within 7 days"),
        limits="calls by X-Business-Use-Case-Usage; comments of 8,000 characters",
        proven=(
            "comments added, edited, removed, with from and with sender_id",
            "a visitor's post, mentions in posts and comments, ratings, reactions",
            "a page of comments without ids, and a comment, of the Graph API",
        ),
        unproven=("message_tags", "reviews listed by the Graph API", "posts with attachments"),
    ),
)
