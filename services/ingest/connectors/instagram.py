"""Instagram: comments, mentions and messages, by webhook or the Graph API."""

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
    post,
    yes,
)
from services.ingest.connectors._instagram_graph import read_instagram_node
from services.ingest.connectors._messaging import read_deliveries, read_event
from services.ingest.connectors._meta import GRAPH_ERROR, Context, context_of, nodes, person, read_documents, when
from services.ingest.payload import Node
from services.ingest.verification import META

NETWORK: Final = "instagram"
_COMMENTS: Final = {"comments", "live_comments"}


def normalize(body: bytes, account: Account) -> list[Outcome]:
    """Read a delivery of webhooks, or an object or a list of the Graph API."""
    documents = read_documents(body)
    if not documents:
        return [MALFORMED]
    return all_of(each for document in documents for each in _document(document, account))


def _document(document: Node, account: Account) -> Iterator[Outcome]:
    context = context_of(NETWORK, account)
    if "entry" in document or "field" in document or "sample" in document:
        yield from read_deliveries(document, NETWORK, account, _change)
    elif document["error"].is_object():
        yield GRAPH_ERROR
    elif document["sender"].is_object():
        yield read_event(document, context)
    else:
        for node, edge in nodes(document):
            yield from read_instagram_node(node, context, edge)


def _change(field: str, value: Node, context: Context) -> Iterator[Outcome]:
    if field == "mentions":
        yield Ignored(Reason.IDS_ONLY, "a mention, to be fetched by mentioned_comment or mentioned_media")
    elif field in _COMMENTS:
        yield _comment(value, context)
    else:
        yield Ignored(Reason.NO_POST, f"a change of {field}")


def _comment(value: Node, context: Context) -> Outcome:
    """A comment, which has no time of its own: it is as old as the delivery."""
    if value["text"].value is None:
        return Ignored(Reason.IDS_ONLY, "a comment without its content")
    media, author = value.at("media", "id").id(), value["from"]
    return post(
        network=context.network,
        kind="public_comment",
        native_id=value["id"].id() or value["comment_id"].id(),
        native_thread_id=media,
        native_parent_id=value["parent_id"].id() or media,
        own=author["id"].id() in context.own or bool(author["self_ig_scoped_id"]),
        author=person(author),
        text=value["text"].text(),
        create_time=when(value["timestamp"]) or context.time,
    )


CONNECTOR: Final = Connector(
    network=NETWORK,
    title="Instagram",
    transports=("webhook", "poll"),
    normalize=normalize,
    verification=META,
    capabilities=Capabilities(
        edits=partly("message_edit, where it brings the new text; comments cannot be edited"),
        deletes=partly("messages that are unsent (is_deleted); deletions of comments are never told"),
        threads=yes("comments: media.id, and parent_id; messages: the person's id for this account"),
        own_posts=yes("is_echo; from.id is the account, or from.self_ig_scoped_id is there"),
        media=partly("of messages and of listed posts, with addresses that expire"),
        language=no("never told"),
        permalinks=partly("of posts that are listed"),
        reply=yes("POST /{comment}/replies; POST /{user}/mentions; messages within 24 h"),
        limits="comments of 2,200 characters, messages of 1,000 bytes; each app product signs with its own secret",
        proven=(
            "comments and mentions by webhook",
            "text and read receipt of messages",
            "comments with replies, a page of comments, mentioned comment and media, a reply to a story, of the API",
        ),
        unproven=("live comments", "echo and is_deleted", "story mentions, shared posts", "posts of a hashtag"),
    ),
)
