"""Messenger: conversations of people with a Facebook page, by webhook or the Graph API."""

import re
from collections.abc import Iterator
from typing import Final

from services.ingest.connector import (
    MALFORMED,
    Account,
    Capabilities,
    Connector,
    Ignored,
    Outcome,
    Reason,
    all_of,
    no,
    partly,
    yes,
)
from services.ingest.connectors._graph_messages import is_conversation, is_message, read_conversation, read_message
from services.ingest.connectors._messaging import read_deliveries, read_event
from services.ingest.connectors._meta import GRAPH_ERROR, Context, context_of, items, nodes, read_documents
from services.ingest.connectors._page_feed import read_page_change
from services.ingest.connectors._page_graph import read_page_node
from services.ingest.payload import Node
from services.ingest.verification import META

NETWORK: Final = "messenger"
_POST_ID: Final = re.compile(r"\d+_\d+\Z")


def normalize(body: bytes, account: Account) -> list[Outcome]:
    """Read a delivery of webhooks, or messages and conversations of the Graph API; the page's feed is read too."""
    documents = read_documents(body)
    if not documents:
        return [MALFORMED]
    return all_of(each for document in documents for each in _document(document, account))


def _document(document: Node, account: Account) -> Iterator[Outcome]:
    context = context_of(NETWORK, account)
    if "entry" in document or "field" in document or "sample" in document:
        yield from read_deliveries(document, NETWORK, account, read_page_change)
    elif document["error"].is_object():
        yield GRAPH_ERROR
    elif document["sender"].is_object():
        yield read_event(document, context)
    else:
        for node, edge in nodes(document):
            if _POST_ID.match(node["id"].id() or ""):
                yield from read_page_node(node, context, edge)
            else:
                yield from _object(node, context)


def _object(node: Node, context: Context) -> Iterator[Outcome]:
    if node.at("conversations", "data").is_list():
        for each in items(node.at("conversations", "data")):
            yield from read_conversation(each, context)
    elif is_conversation(node):
        yield from read_conversation(node, context)
    elif is_message(node) or "created_time" in node:
        yield read_message(node, context)
    else:
        yield Ignored(Reason.NO_POST, "an object that holds no message")


CONNECTOR: Final = Connector(
    network=NETWORK,
    title="Messenger",
    transports=("webhook", "poll"),
    normalize=normalize,
    verification=META,
    capabilities=Capabilities(
        edits=yes("message_edit; the revision is the number of edits and one"),
        deletes=partly("message.is_deleted; a poll cannot tell"),
        threads=yes("the person's page-scoped id is the conversation; reply_to.mid is the parent"),
        own_posts=yes("is_echo, or the page is the sender"),
        media=yes("images, videos, voice, files and stickers with their addresses, which expire"),
        language=partly("where Meta's built-in language detection is switched on"),
        permalinks=no("conversations have none"),
        reply=yes("POST /{page}/messages within 24 h of the person's last message; 7 days for people (HUMAN_AGENT)"),
        limits="2,000 characters",
        proven=(
            "text, image, sticker, reply, echo, edit",
            "postback and read receipt",
            "a message with an image and a conversation of the Graph API",
        ),
        unproven=("is_deleted", "standby", "shared links, places and products", "stickers told twice"),
    ),
)
