"""Google Play: reviews of an app (https://developers.google.com/android-publisher/api-ref/rest/v3/reviews)."""

from collections.abc import Iterator
from datetime import datetime, timedelta
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
    titled,
    yes,
)
from services.ingest.connectors._language import language
from services.ingest.connectors._reviews import answer, edition, review, stars, state
from services.ingest.payload import Node, read_json

NETWORK: Final = "google_play"
_SECOND_NANOS: Final = 1_000_000_000


def normalize(body: bytes, account: Account) -> list[Outcome]:  # noqa: ARG001 - an answer says itself that it is one
    """Read the answer of reviews.list or reviews.get."""
    document = read_json(body)
    if document is None or not (document.is_object() or document.is_list()):
        return [MALFORMED]
    if document["error"]:
        return [Ignored(Reason.NO_POST, "an error of the API")]
    if document["result"].is_object():
        return [Ignored(Reason.NO_POST, "the API's answer to our own reply")]
    reviews = document["reviews"] if document["reviews"].is_list() else document
    return all_of(outcome for each in (reviews if reviews.is_list() else [reviews]) for outcome in _review(each))


def _review(listed: Node) -> Iterator[Outcome]:
    if not listed["comments"].is_list():
        detail = "no list of comments" if listed else "an empty page"
        yield Ignored(Reason.NO_POST, detail)
        return
    answered_at = max((time for each in listed["comments"] if (time := _time(each["developerComment"]))), default=None)
    for comment in listed["comments"]:
        if comment["developerComment"].is_object():
            yield _answer(listed["reviewId"].id(), comment["developerComment"])
        elif comment["userComment"].is_object():
            yield _opinion(listed, comment["userComment"], answered_at)
        else:
            yield Ignored(Reason.NO_POST, "a comment of neither the user nor the developer")


def _opinion(listed: Node, comment: Node, answered_at: datetime | None) -> Outcome:
    """What a user says now; only an older answer proves that it once was something else."""
    changed_at = _time(comment)
    return review(
        NETWORK,
        listed["reviewId"].id(),
        {"display_name": listed["authorName"].text()},
        text=_text(comment["originalText"].text() or comment["text"].text() or ""),
        rating=stars(comment["starRating"]),
        language=language(comment["reviewerLanguage"]),
        create_time=changed_at,
        **(edition(answered_at, changed_at) or state(changed_at)),
    )


def _answer(review_id: str | None, comment: Node) -> Outcome:
    changed_at = _time(comment)
    return answer(NETWORK, review_id, text=comment["text"].text(), create_time=changed_at, **state(changed_at))


def _text(text: str) -> str | None:
    """Google puts a tab between a title and the text, also where there is no title."""
    title, tab, rest = text.partition("\t")
    return titled(title, rest) if tab else text


def _time(comment: Node) -> datetime | None:
    """Seconds and nanoseconds, apart."""
    time, nanos = comment.at("lastModified", "seconds").seconds(), comment.at("lastModified", "nanos").integer() or 0
    return time + timedelta(microseconds=nanos // 1_000) if time and 0 <= nanos < _SECOND_NANOS else time


CONNECTOR: Final = Connector(
    network=NETWORK,
    title="Google Play",
    transports=("poll",),
    normalize=normalize,
    capabilities=Capabilities(
        edits=yes("the time of the last change: each is a revision, and an edit where the brand's answer is older"),
        deletes=no("a deleted review is missing from the next list"),
        threads=yes("a review and the brand's one answer"),
        own_posts=yes("developerComment"),
        media=no("reviews have none"),
        language=yes("reviewerLanguage, where the user's device told it"),
        permalinks=no("the API gives none"),
        reply=yes("reviews.reply; 350 characters, one answer a review"),
        limits="reviews with text of the last 7 days; 200 reads/h, 2,000 replies a day",
        proven=("reviews.list, from Google's documentation",),
        unproven=("answers of the developer", "titles before a tab", "translated reviews"),
    ),
)
