"""Threads: replies, mentions and the account's own posts, by webhook or the Threads API."""

from collections.abc import Iterator
from typing import Any, Final

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
    titled,
    yes,
)
from services.ingest.connectors._meta import (
    BARE_ID,
    GRAPH_ERROR,
    Context,
    changes,
    context_of,
    entries,
    items,
    nodes,
    person,
    read_documents,
    when,
)
from services.ingest.payload import Node
from services.ingest.verification import META

NETWORK: Final = "threads"
_FIELDS: Final = {"replies", "mentions", "publish", "delete"}
_POST_ONLY: Final = (
    "text",
    "media_type",
    "media_url",
    "gif_url",
    "text_attachment",
    "permalink",
    "shortcode",
    "replied_to",
)
_MEDIA: Final = {"IMAGE": "image", "CAROUSEL_ALBUM": "image", "VIDEO": "video", "AUDIO": "audio"}


def normalize(body: bytes, account: Account) -> list[Outcome]:
    """Read a delivery of webhooks, or an object or a list of the Threads API."""
    documents = read_documents(body)
    if not documents:
        return [MALFORMED]
    return all_of(each for document in documents for each in _document(document, account))


def _document(document: Node, account: Account) -> Iterator[Outcome]:
    context = context_of(NETWORK, account)
    if document["error"].is_object():
        yield GRAPH_ERROR
    elif "values" in document:
        for change in items(document["values"]):
            yield _change(change["field"].text() or "", change["value"], context)
    elif "entry" in document or "field" in document:
        for entry in entries(document):
            yield from (_change(*each, context_of(NETWORK, account, entry)) for each in changes(entry))
    else:
        yield from (_object(node, context) for node, _ in nodes(document))


def _change(field: str, value: Node, context: Context) -> Outcome:
    if field not in _FIELDS:
        return Ignored(Reason.NO_POST, f"a change of {field}")
    if field == "delete":
        return post(
            network=NETWORK,
            kind=_kind(value),
            change="deleted",
            native_id=value["id"].id(),
            native_thread_id=value.at("root_post", "id").id(),
            own=True,
        )
    return _post(value, context, own=field == "publish")


def _object(node: Node, context: Context) -> Outcome:
    if any(name in node for name in _POST_ONLY):
        return _post(node, context)
    if [name for name, _ in node.members()] == ["id"]:
        return BARE_ID
    return Ignored(Reason.NO_POST, "an object that holds no post")


def _post(node: Node, context: Context, *, own: bool = False) -> Outcome:
    author = _author(node)
    text, attached = node["text"].text(), node.at("text_attachment", "plaintext").text()
    media = list(_media(node))
    if not (text or attached or media) and "text" not in node:
        return Ignored(Reason.IDS_ONLY, "a post without its content, or one that says nothing of its own")
    return post(
        network=NETWORK,
        kind=_kind(node),
        native_id=node["id"].id(),
        native_thread_id=node.at("root_post", "id").id(),
        native_parent_id=node.at("replied_to", "id").id(),
        own=own or _is_own(node, author, context),
        author=author,
        text=titled(text, attached) if attached else text,
        create_time=when(node["timestamp"]),
        permalink=node["permalink"].text(),
        media=media,
    )


def _kind(node: Node) -> str:
    answers = node["is_reply"].flag() or node["replied_to"] or node["root_post"]
    return "public_comment" if answers else "public_post"


def _author(node: Node) -> dict[str, Any]:
    """Of others the API tells the username alone, which is their id then."""
    named = person(node["owner"], id=node["username"].text())
    return named | {"handle": named["handle"] or node["username"].text()}


def _is_own(node: Node, author: dict[str, Any], context: Context) -> bool:
    ours = {author["id"], author["handle"]} & context.own
    return bool(ours) or node["is_reply_owned_by_me"].flag() is True


def _media(node: Node) -> Iterator[dict[str, Any]]:
    for each in list(items(node.at("children", "data"))) or [node]:
        kind, url = _MEDIA.get(each["media_type"].text() or ""), each["media_url"].text()
        if kind or url:
            yield {"kind": kind or "file", "url": url, "alt_text": each["alt_text"].text()}
    if node["gif_url"].text():
        yield {"kind": "image", "url": node["gif_url"].text(), "alt_text": node["alt_text"].text()}


CONNECTOR: Final = Connector(
    network=NETWORK,
    title="Threads",
    transports=("webhook", "poll"),
    normalize=normalize,
    verification=META,
    capabilities=Capabilities(
        edits=no("never told: a post keeps the text that was read first"),
        deletes=partly("the account's own posts (field delete); those of others are never told"),
        threads=yes("root_post.id is the thread, replied_to.id the parent"),
        own_posts=yes("field publish, is_reply_owned_by_me, or `account` is the owner's id or the username"),
        media=yes("images, videos and GIFs with their addresses and descriptions"),
        language=no("never told"),
        permalinks=yes("permalink"),
        reply=yes("POST /me/threads with reply_to_id, then threads_publish, about 30 s later"),
        limits="500 characters; 250 posts, 1,000 replies, 100 deletions in 24 h; nothing of private accounts",
        proven=("a post, a list of replies, an error and a quota of the API",),
        unproven=("webhooks: read after the samples of the documentation", "publish and delete", "text attachments"),
    ),
)
