"""Talkwalker: documents of searches and streams (https://developer.talkwalker.com), after its documentation alone."""

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
from services.ingest.connectors._ids import identifier
from services.ingest.connectors._json_lines import read_documents
from services.ingest.connectors._language import language
from services.ingest.markup import html_to_text
from services.ingest.payload import Node

NETWORK: Final = "talkwalker"


def normalize(body: bytes, account: Account) -> list[Outcome]:
    """Read the answer of a search, or chunks of a stream, one a line."""
    chunks = read_documents(body)
    if chunks is None or (chunks and not any(chunk.is_object() for chunk in chunks)):
        return [MALFORMED]
    return all_of(outcome for chunk in chunks for outcome in _chunk(chunk, account))


def _chunk(chunk: Node, account: Account) -> Iterator[Outcome]:
    if not chunk.is_object():
        yield MALFORMED
    elif chunk["chunk_type"].text() == "CT_RESULT":
        yield _document(chunk.at("chunk_result", "data"), account)
    elif chunk["result_content"].is_object():
        yield from (_document(each, account) for each in chunk.at("result_content", "data"))
    elif name := chunk["chunk_type"].text() or chunk["status_message"].text():
        yield Ignored(Reason.NO_POST, f"{name} instead of documents")
    else:
        yield _document(chunk, account)


def _document(result: Node, account: Account) -> Outcome:
    """A document is kept in `data`, beside the excerpts that made it match."""
    told = result["data"] if result["data"].is_object() else result
    url = told["url"].text()
    if not url:
        if told["external_id"].id():
            return Ignored(Reason.IDS_ONLY, "X does not allow Talkwalker to pass its posts on")
        return Ignored(Reason.NO_POST, "no document")
    is_comment = any(tag.text() == "isComment" for tag in told["tags_internal"])
    parent = told["parent_url"].text() if is_comment else None
    author = _author(told, url)
    return post(
        network=NETWORK,
        kind="public_comment" if is_comment else "public_post",
        native_id=identifier(url),
        native_parent_id=identifier(parent) if parent and parent != url else None,
        own=bool(account.id) and author["id"] == account.id,
        author=author,
        text=_text(told, result["highlighted_data"][0], is_comment=is_comment),
        language=language(told["lang"]),
        create_time=told["published"].milliseconds(),
        permalink=url,
        media=[*_media(told["images"], "image"), *_media(told["videos"], "video")],
    )


def _text(told: Node, excerpts: Node, *, is_comment: bool) -> str | None:
    """What was written, else the excerpt that matched; the title above a comment is somebody else's."""
    content = told["content"].text() or html_to_text(excerpts["content_snippet"].text() or "")
    return content if is_comment else titled(told["title"].text(), content)


def _author(told: Node, url: str) -> dict[str, Any]:
    """Who wrote it; of a page without an author, who published it."""
    author, source = told["extra_author_attributes"], told["extra_source_attributes"]
    ids = (author["id"], author["url"], author["name"], source["id"], source["url"], source["name"])
    return {
        "id": next((each.id() for each in ids if each.id()), identifier(url)),
        "handle": author["short_name"].text(),
        "display_name": author["name"].text() or source["name"].text(),
    }


def _media(items: Node, kind: str) -> Iterator[dict[str, Any]]:
    for item in items:
        if url := item["url"].text():
            yield {"kind": kind, "url": url}


CONNECTOR: Final = Connector(
    network=NETWORK,
    title="Talkwalker",
    transports=("poll", "stream"),
    normalize=normalize,
    capabilities=Capabilities(
        edits=no("a document comes again when its figures change, not when its text does"),
        deletes=no("never told"),
        threads=partly("comments name the page that they stand on"),
        own_posts=yes("the author's id is the account's (`account`)"),
        media=yes("images and videos of the document"),
        language=yes("as Talkwalker recognises it"),
        permalinks=yes("the document's address, which is its name as well"),
        reply=no("answers are written where it was said"),
        limits="credits; X gives ids without text; the access token stands in the address: it must not be logged",
        proven=(),
        unproven=(
            "everything: no real payload was at hand, so it follows the public documentation alone",
            "asking: nothing of ours asks Talkwalker before a real payload has shown that we read it well",
        ),
    ),
)
