"""What the classifier decided and what people said of it, counted; reads only."""

from collections import defaultdict
from datetime import UTC, date, datetime
from typing import Final

from ascolto.classification.v1.classification_pb2 import DECISION_ABSTAINED, PostClassified
from chassis.postgres import Connection
from services.routing.drift import Tally, confidence_of
from services.routing.drift_report import Cell
from services.routing.vocabulary import CATEGORY_WORDS

_PREFETCH_ROWS: Final = 500

_JUDGED: Final = """
SELECT (heard_at AT TIME ZONE 'UTC')::date AS day, network, language, category, decision = 'abstained' AS abstained,
    count(*) AS posts,
    CASE WHEN stage <> 'language_model' THEN coalesce(sum(probability::double precision), 0) END AS confidence
FROM decision
WHERE decision IN ('assigned', 'abstained') AND NOT deleted AND heard_at >= $1 AND heard_at < $2
    AND ($3::text IS NULL OR tenant = $3)
GROUP BY 1, 2, 3, 4, 5, stage"""

# Of a post that a person labelled the decision is the person's: what the model last said stands in the history.
_LABELLED: Final = """
SELECT DISTINCT ON (decision.post_name) (heard_at AT TIME ZONE 'UTC')::date AS day, network, language,
    label.category AS label, judgement.payload
FROM decision
JOIN label USING (post_name)
JOIN judgement ON judgement.post_name = decision.post_name AND judgement.authority = 'model' AND NOT judgement.deleted
WHERE decision.decision = 'corrected' AND NOT decision.deleted AND heard_at >= $1 AND heard_at < $2
    AND ($3::text IS NULL OR decision.tenant = $3)
ORDER BY decision.post_name, judgement.revision DESC, judgement.decided_at DESC, judgement.event_id DESC"""


async def tallies(connection: Connection, since: date, until: date, tenant: str | None) -> dict[Cell, Tally]:
    """What was decided about the posts that were accepted from `since` to before `until`; None is every tenant.

    Posts that needed no model, and posts that are gone, do not count.
    """
    found: dict[Cell, Tally] = defaultdict(Tally)
    bounds = _midnight(since), _midnight(until), tenant
    async with connection.transaction():
        async for row in connection.cursor(_JUDGED, *bounds, prefetch=_PREFETCH_ROWS):
            tally = found[Cell(row["day"], row["network"], row["language"])]
            tally.judged(row["category"], row["posts"], abstained=row["abstained"], confidence=row["confidence"])
        async for row in connection.cursor(_LABELLED, *bounds, prefetch=_PREFETCH_ROWS):
            cell = Cell(row["day"], row["network"], row["language"])
            _add_labelled(found[cell], row["payload"], row["label"])
    return dict(found)


def _add_labelled(tally: Tally, payload: bytes, label: str) -> None:
    judged = PostClassified.FromString(payload).classification
    if not judged.probabilities:
        return
    category, confidence = CATEGORY_WORDS[judged.category], confidence_of(judged)
    tally.judged(category, 1, abstained=judged.decision == DECISION_ABSTAINED, confidence=confidence)
    if confidence is not None:
        tally.labelled(confidence, right=category == label)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
