"""Google Business Profile: reviews of places (https://developers.google.com/my-business/reference/rest/v4/accounts.locations.reviews)."""

import base64
import binascii
import re
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
    yes,
)
from services.ingest.connectors._reviews import answer, edition, review, stars
from services.ingest.payload import Node, read_json

NETWORK: Final = "google_business_profile"
_TRANSLATED: Final = "(Translated by Google)"
_ORIGINAL: Final = "(Original)"
_NAMING: Final = re.compile(r"NEW_REVIEW|UPDATED_REVIEW|NEW_CUSTOMER_MEDIA|(NEW|UPDATED)_(QUESTION|ANSWER)")


def normalize(body: bytes, account: Account) -> list[Outcome]:  # noqa: ARG001 - an answer says itself that it is one
    """Read reviews of a list, of a batch or alone, or the notifications of Pub/Sub, pushed or pulled."""
    document = read_json(body)
    if document is None or not (document.is_object() or document.is_list()):
        return [MALFORMED]
    return all_of(outcome for each in _items(document) for outcome in _read(each))


def _items(document: Node) -> list[Node]:
    for name in ("reviews", "locationReviews", "receivedMessages"):
        if document[name].is_list():
            return list(document[name])
    return list(document) if document.is_list() else [document]


def _read(item: Node) -> Iterator[Outcome]:
    if item["message"].is_object():
        yield _pushed(item["message"])
    elif item["review"].is_object():
        yield from _review(item["review"])
    elif item["reviewId"].id() or item["starRating"]:
        yield from _review(item)
    elif item["error"]:
        yield Ignored(Reason.NO_POST, "an error of the API")
    else:
        yield _notification(item)


def _review(told: Node) -> Iterator[Outcome]:
    native_id = told["reviewId"].id() or (told["name"].text() or "").rpartition("/")[2] or None
    written_at = told["createTime"].time()
    yield review(
        NETWORK,
        native_id,
        {"display_name": told.at("reviewer", "displayName").text()},
        text=_original(told["comment"].text()),
        rating=stars(told["starRating"]),
        create_time=written_at,
        media=list(_media(told["reviewMediaItems"])),
        **edition(written_at, told["updateTime"].time()),
    )
    if told["reviewReply"].is_object():
        yield _reply(native_id, told["reviewReply"])


def _reply(review_id: str | None, told: Node) -> Outcome:
    if told["reviewReplyState"].text() == "REJECTED":
        return Ignored(Reason.NO_POST, "an answer that Google refused to show")
    return answer(NETWORK, review_id, text=_original(told["comment"].text()), create_time=told["updateTime"].time())


def _original(comment: str | None) -> str | None:
    """What was written, without the translation that Google puts before or after it."""
    if not comment or _TRANSLATED not in comment:
        return comment
    before, _, after = comment.partition(_TRANSLATED)
    translation, marked, original = after.partition(_ORIGINAL)
    return ((original if marked else before) or translation).strip() or None


def _media(items: Node) -> Iterator[dict[str, Any]]:
    for item in items:
        video, image = item["videoUrl"].text(), item["thumbnailUrl"].text()
        if video or image:
            yield {
                "kind": "video" if video else "image",
                "url": video or image,
                "alt_text": item["thumbnailLabel"].text(),
            }


def _pushed(message: Node) -> Outcome:
    """A message of Pub/Sub, whose data are a notification in base64."""
    try:
        data = read_json(base64.b64decode(message["data"].text() or "", validate=True))
    except (binascii.Error, ValueError):
        data = None
    return _notification(data) if data is not None else Ignored(Reason.MALFORMED, "message.data is no JSON in base64")


def _notification(data: Node) -> Outcome:
    kind = data["type"].text() or data["notificationType"].text() or ""
    if _NAMING.fullmatch(kind) or data["review"].text() or data["reviewName"].text():
        return Ignored(Reason.IDS_ONLY, f"a notification of {kind or 'a review'}")
    return Ignored(Reason.NO_POST, f"a notification of {kind}" if kind else "no review")


CONNECTOR: Final = Connector(
    network=NETWORK,
    title="Google Business Profile",
    transports=("poll", "webhook"),
    normalize=normalize,
    capabilities=Capabilities(
        edits=yes("updateTime after createTime; of the brand's answers only the last time is told"),
        deletes=no("a deleted review is missing from the next list"),
        threads=yes("a review and the brand's one answer"),
        own_posts=yes("reviewReply"),
        media=partly("thumbnails and videos that accompany a review"),
        language=no("translations are marked in the text and left out"),
        permalinks=no("the API gives a page to reply on only"),
        reply=yes("PUT .../reply; one answer a review, 4,096 bytes, checked by Google before it is shown"),
        limits="50 reviews a page, 300 requests/min; access is granted on application",
        proven=("reviews.list, as a test double writes it",),
        unproven=("Pub/Sub notifications, which name a review that must be fetched", "media", "translated reviews"),
    ),
)
