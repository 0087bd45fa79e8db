"""Apple App Store: reviews from the customer reviews feed (as JSON or XML) and from the App Store Connect API.

The two name one review differently, so an integration reads one of them: Connect for an app of one's own.
https://developer.apple.com/documentation/appstoreconnectapi/customer-reviews
"""

import re
from collections.abc import Iterator, Mapping
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
    titled,
    yes,
)
from services.ingest.connectors._apple_feed import read_xml
from services.ingest.connectors._reviews import answer, review, stars, state
from services.ingest.payload import Node, read_json

NETWORK: Final = "apple_app_store"
_REVIEWER: Final = re.compile(r"/reviews/id(\d+)")


def normalize(body: bytes, account: Account) -> list[Outcome]:  # noqa: ARG001 - reviews and answers tell themselves apart
    """Read a page of the feed, a page or a single resource of App Store Connect, or a bare feed entry."""
    document = read_xml(body) if body.lstrip().startswith(b"<") else read_json(body)
    if document is None or not document.is_object():
        return [MALFORMED]
    if document["errors"].is_list():
        return [Ignored(Reason.NO_POST, "an error of App Store Connect")]
    if document["data"]:
        return all_of(_resources(document))
    entries = document.at("feed", "entry") if document["feed"].is_object() else document
    return all_of(map(_entry, entries if entries.is_list() else [entries] if entries else []))


def _entry(entry: Node) -> Outcome:
    """One entry of the feed, in which every value is the label of an object."""
    native_id, rating = _label(entry, "id"), stars(entry.at("im:rating", "label"))
    if rating is None:
        return Ignored(Reason.NO_POST, "an entry without stars, such as the app itself")
    updated_at = entry.at("updated", "label").time()
    link = _REVIEWER.search(entry.at("author", "uri", "label").text() or "")
    return review(
        NETWORK,
        native_id,
        {"id": link[1] if link else None, "display_name": entry.at("author", "name", "label").text()},
        text=titled(_label(entry, "title"), _label(entry, "content")),
        rating=rating,
        create_time=updated_at,
        **state(updated_at),
    )


def _label(entry: Node, name: str) -> str | None:
    return entry.at(name, "label").text()


def _resources(document: Node) -> Iterator[Outcome]:
    data = document["data"]
    resources = [*(data if data.is_list() else [data]), *document["included"]]
    reviews = {
        each.at("relationships", "response", "data", "id").id() or "": each["id"].id() or ""
        for each in resources
        if each["type"].text() == "customerReviews"
    }
    for each in resources:
        match each["type"].text():
            case "customerReviews":
                yield _review(each)
            case "customerReviewResponses":
                yield _response(each, reviews)
            case kind:
                yield Ignored(Reason.NO_POST, f"a resource of type {kind or 'none'}")


def _review(resource: Node) -> Outcome:
    told = resource["attributes"]
    created_at = told["createdDate"].time()
    return review(
        NETWORK,
        resource["id"].id(),
        {"display_name": told["reviewerNickname"].text()},
        text=titled(told["title"].text(), told["body"].text()),
        rating=stars(told["rating"]),
        create_time=created_at,
        **state(created_at),
    )


def _response(resource: Node, reviews: Mapping[str, str]) -> Outcome:
    native_id, told = resource["id"].id(), resource["attributes"]
    modified_at = told["lastModifiedDate"].time()
    return answer(
        NETWORK,
        resource.at("relationships", "review", "data", "id").id() or reviews.get(native_id or "absent"),
        native_id,
        text=told["responseBody"].text(),
        create_time=modified_at,
        **state(modified_at),
    )


CONNECTOR: Final = Connector(
    network=NETWORK,
    title="Apple App Store",
    transports=("poll",),
    normalize=normalize,
    capabilities=Capabilities(
        edits=yes("a rewritten review comes under its id with a new time, which is its revision"),
        deletes=no("a deleted review is missing from the next list"),
        threads=yes("a review and the brand's one answer"),
        own_posts=partly("App Store Connect with include=response; the feed has no answers"),
        media=no("reviews have none"),
        language=no("the storefront's territory only, which is no language"),
        permalinks=no("a review has no page of its own"),
        reply=partly("App Store Connect only: customerReviewResponses, one answer a review, shown after a delay"),
        limits="feed: 10 pages of 50 a storefront; App Store Connect: 3,500 requests/h; an answer: 5,970 characters",
        proven=("a page of the feed",),
        unproven=("App Store Connect pages and answers, from Apple's documentation", "the feed as XML"),
    ),
)
