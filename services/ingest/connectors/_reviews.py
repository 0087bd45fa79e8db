"""What review sites have in common: stars, an author who may be unknown, and an answer of the brand inside."""

from datetime import datetime
from typing import Any, Final

from services.ingest.connector import Ignored, Outcome, Reason, post
from services.ingest.payload import Node

_WORDS: Final = {"ONE": 1, "TWO": 2, "THREE": 3, "FOUR": 4, "FIVE": 5}


def review(network: str, native_id: str | None, author: dict[str, Any], **fields: Any) -> Outcome:  # noqa: ANN401
    """A review; where the site names no author by an id, the review's own id stands for its writer."""
    named = {**author, "id": author.get("id") or native_id}
    return post(network=network, kind="review", native_id=native_id, author=named, **fields)


def answer(network: str, review_id: str | None, native_id: str | None = None, **fields: Any) -> Outcome:  # noqa: ANN401
    """The brand's answer to a review, which is in its thread; most sites give it no id of its own."""
    if not review_id:
        return Ignored(Reason.NO_ID, "an answer whose review is not told")
    return post(
        network=network,
        kind="review",
        native_id=native_id or f"{review_id}:reply",
        native_thread_id=review_id,
        native_parent_id=review_id,
        own=True,
        **fields,
    )


def edition(written_at: datetime | None, changed_at: datetime | None) -> dict[str, Any]:
    """When it was changed, if that was after it was written, to the second."""
    if written_at is None or changed_at is None or _second(changed_at) <= _second(written_at):
        return {}
    return {"edited_at": changed_at}


def state(changed_at: datetime | None) -> dict[str, Any]:
    """The second of a state, where the site does not tell whether it is the first: another state is another event."""
    return {"revision": _second(changed_at)} if changed_at and _second(changed_at) > 1 else {}


def stars(place: Node) -> float | None:
    """One to five, as a number, as its text or as an English word; anything else is absent."""
    count = _WORDS.get((place.text() or "").upper()) or place.number()
    return float(count) if count is not None and 1 <= count <= 5 else None  # noqa: PLR2004 - stars


def _second(time: datetime) -> int:
    return int(time.timestamp())
