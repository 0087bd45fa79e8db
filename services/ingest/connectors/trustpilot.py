"""Trustpilot: reviews of a company and of its products (https://developers.trustpilot.com), polled or by webhook."""

from collections.abc import Iterator
from datetime import datetime
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
    partly,
    post,
    titled,
    yes,
)
from services.ingest.connectors._language import language
from services.ingest.connectors._reviews import answer, edition, review, stars
from services.ingest.payload import Node, read_json

NETWORK: Final = "trustpilot"
_LISTS: Final = ("reviews", "productReviews", "importedProductReviews", "events")
_ANSWERS: Final = ("companyReply", "firstCompanyComment")


def normalize(body: bytes, account: Account) -> list[Outcome]:  # noqa: ARG001 - an answer says itself that it is one
    """Read reviews of a list or alone, public or private, or the events of a webhook."""
    document = read_json(body)
    if document is None or not (document.is_object() or document.is_list()):
        return [MALFORMED]
    listed = next((document[name] for name in _LISTS if document[name].is_list()), document)
    return all_of(outcome for each in (listed if listed.is_list() else [listed]) for outcome in _read(each))


def _read(item: Node) -> Iterator[Outcome]:
    if item["eventName"].text() or item["eventData"].is_object():
        yield from _event(item["eventName"].text() or "", item["eventData"])
    elif item["id"].id() and "stars" in item:
        yield from _review(item)
    else:
        yield Ignored(Reason.NO_POST, "no review")


def _event(name: str, data: Node) -> Iterator[Outcome]:
    """Events name themselves, such as service-review-created or product-review-deleted."""
    if "review" not in name:
        yield Ignored(Reason.NO_POST, f"an event of {name or 'no name'}")
    elif name.endswith("-deleted") and not name.endswith("reply-deleted"):
        yield post(network=NETWORK, kind="review", change="deleted", native_id=data["id"].id())
    elif data["id"].id() and "stars" in data:
        yield from _review(data, edited=name.endswith("-updated"))
    else:
        yield Ignored(Reason.IDS_ONLY, f"an event of {name} without the review")


def _review(told: Node, *, edited: bool = False) -> Iterator[Outcome]:
    native_id, written_at, changed_at = told["id"].id(), told["createdAt"].time(), told["updatedAt"].time()
    consumer = told["consumer"]
    yield review(
        NETWORK,
        native_id,
        {"id": consumer["id"].id(), "display_name": consumer["displayName"].text() or consumer["name"].text()},
        text=titled(told["title"].text(), told["text"].text() or told["content"].text()),
        rating=stars(told["stars"]),
        language=language(told["language"]),
        create_time=written_at,
        permalink=told["link"].text(),
        media=list(_media(told["attachments"])),
        **(_edition(written_at, changed_at) if edited else edition(written_at, changed_at)),
    )
    for name in _ANSWERS:
        if told[name].is_object():
            yield _answer(native_id, told[name])


def _edition(written_at: datetime | None, changed_at: datetime | None) -> dict[str, Any]:
    """The edit that an event announces; most of them tell the second of writing alone."""
    return edition(written_at, changed_at) or {"change": "edited"}


def _answer(review_id: str | None, told: Node) -> Outcome:
    written_at = told["createdAt"].time()
    return answer(
        NETWORK,
        review_id,
        text=told["text"].text() or told["comment"].text() or told["message"].text(),
        create_time=written_at,
        **edition(written_at, told["updatedAt"].time()),
    )


def _media(attachments: Node) -> Iterator[dict[str, Any]]:
    """One of each attachment, whose files are the same picture or film in several sizes."""
    for attachment in attachments:
        files = [each for each in attachment["processedFiles"] if each["url"].text()]
        if files:
            film = next((each for each in files if (each["mimeType"].text() or "").startswith("video/")), None)
            yield {"kind": "video" if film else "image", "url": (film or files[0])["url"].text()}


CONNECTOR: Final = Connector(
    network=NETWORK,
    title="Trustpilot",
    transports=("poll", "webhook"),
    normalize=normalize,
    capabilities=Capabilities(
        edits=yes("updatedAt after createdAt, and events of updates"),
        deletes=partly("by webhook; a poll no longer lists the review"),
        threads=yes("a review and the brand's answer"),
        own_posts=yes("companyReply, and firstCompanyComment of a product review"),
        media=partly("attachments of product reviews"),
        language=yes("the review's language"),
        permalinks=partly("where a webhook gives the link"),
        reply=yes("POST .../reply, with a user of the business and OAuth"),
        limits="private reviews need OAuth; no signature scheme of its webhooks is documented",
        proven=("a single review with an answer, from Trustpilot's documentation",),
        unproven=("webhook events, of which no payload is known", "lists", "product reviews"),
    ),
)
