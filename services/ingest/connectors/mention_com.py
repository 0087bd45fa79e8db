"""Mention: what its alerts find on the web and on social networks (https://dev.mention.com), polled or through Zapier.

Zapier makes texts of numbers and booleans, and of what is empty; it may also write "author_influence__name" for a
member of an object.
"""

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
from services.ingest.connectors._language import language
from services.ingest.payload import Node, read_json

NETWORK: Final = "mention_com"


def normalize(body: bytes, account: Account) -> list[Outcome]:
    """Read a page of mentions, the children of one, a single mention, or one that Zapier relays."""
    document = read_json(body)
    if document is None or not (document.is_object() or document.is_list()):
        return [MALFORMED]
    listed = next((document[name] for name in ("mentions", "children") if document[name].is_list()), document)
    single = document["mention"] if document["mention"].is_object() else document
    return all_of(outcome for each in (listed if listed.is_list() else [single]) for outcome in _read(each, account))


def _read(mention: Node, account: Account) -> Iterator[Outcome]:
    if not (mention["id"].id() or mention["unique_id"].id()):
        yield Ignored(Reason.NO_POST, "no mention" if mention else "an empty page")
        return
    yield _mention(mention, account)
    for child in mention.at("children", "mentions"):
        if child["id"].id():
            yield _mention(child, account)


def _mention(mention: Node, account: Account) -> Outcome:
    native_id = identifier(mention["id"].id() or mention["unique_id"].id())
    if mention["trashed"].flag():
        return post(network=NETWORK, kind="public_post", change="deleted", native_id=native_id)
    author = _author(mention)
    return post(
        network=NETWORK,
        kind="public_post",
        native_id=native_id,
        own=bool(account.id) and author["id"] == account.id,
        author=author,
        text=_text(mention["title"].text(), mention["description"].text() or mention["description_medium"].text()),
        language=language(mention["language_code"]),
        create_time=mention["published_at"].time(),
        permalink=mention["original_url"].text() or mention["url"].text(),
    )


def _author(mention: Node) -> dict[str, Any]:
    """Who wrote it; of a page without an author, who published it."""
    known = _author_member(mention, "author_unique_id") or _author_member(mention, "id")
    source = mention["source_url"].id() or mention["source_name"].id()
    return {
        "id": identifier(known or source or mention["id"].id() or mention["unique_id"].id()),
        "display_name": _author_member(mention, "name") or mention["source_name"].text(),
    }


def _author_member(mention: Node, name: str) -> str | None:
    return mention.at("author_influence", name).id() or mention[f"author_influence__{name}"].id()


def _text(title: str | None, description: str | None) -> str | None:
    """Title and text; the title of a social post is only its beginning, which is not said twice."""
    beginning = (title or "").rstrip("…. ")
    return description if description and description.startswith(beginning) else titled(title, description)


CONNECTOR: Final = Connector(
    network=NETWORK,
    title="Mention",
    transports=("poll", "webhook"),
    normalize=normalize,
    capabilities=Capabilities(
        edits=no("updated_at tells of the mention's record, not of what was said"),
        deletes=partly("what somebody put into Mention's trash"),
        threads=no("every mention stands alone"),
        own_posts=yes("the author's unique id is the account's (`account`)"),
        media=no("the API gives none"),
        language=yes("language_code"),
        permalinks=yes("the page that was found"),
        reply=no("answers are written where it was said"),
        limits="excerpts, not whole pages; what a plan's alerts find",
        proven=("a page found on the web, relayed by Zapier",),
        unproven=("pages of the API", "social posts", "children", "the trash"),
    ),
)
