"""What a run found, counted; reads only."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from ascolto.classification.v1.classification_pb2 import PostClassified
from chassis.postgres import Queries
from services.routing.reclassification.comparison import Agreement, Cell, Comparison

_SIDES: Final = """language, network,
    CASE WHEN was_decision = 'abstained' THEN 'abstained' ELSE was_category END AS stands,
    CASE WHEN decision = 'abstained' THEN 'abstained' ELSE category END AS candidate"""

_CELLS: Final = f"""
SELECT {_SIDES}, count(*) AS posts, count(*) FILTER (WHERE differs) AS differing,
    count(*) FILTER (WHERE stands_by_language_model) AS stands_by_language_model
FROM reclassification_result WHERE run = $1 AND label IS NULL GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"""  # noqa: S608 - constants of this module

_EXAMPLES: Final = f"""
SELECT language, network, stands, candidate, post_name FROM (
    SELECT *, row_number() OVER (PARTITION BY language, network, stands, candidate ORDER BY post_name) AS place
    FROM (SELECT {_SIDES}, post_name FROM reclassification_result WHERE run = $1 AND differs) AS differing
) AS placed WHERE place <= $2 ORDER BY language, network, stands, candidate, place"""  # noqa: S608 - as above

_AGREEMENTS: Final = """
SELECT language, network, count(*) AS labels, count(*) FILTER (WHERE was_category = label) AS stands_right,
    count(*) FILTER (WHERE category = label) AS candidate_right
FROM reclassification_result WHERE run = $1 AND label IS NOT NULL AND was_category IS NOT NULL
GROUP BY 1, 2 ORDER BY 1, 2"""

_TEXTS: Final = """
SELECT post_name, decision.payload FROM reclassification_result AS result JOIN decision USING (post_name)
WHERE run = $1 AND post_name = ANY ($2) AND NOT deleted AND decision.revision = result.revision"""


async def comparison(queries: Queries, run: UUID, examples: int) -> Comparison:
    """The findings of a run, with up to `examples` names of posts in each cell that differs."""
    named: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for row in await queries.fetch(_EXAMPLES, run, examples):
        *cell, post_name = row.values()
        named[tuple(cell)].append(post_name)
    cells = [
        replace(cell, examples=tuple(named[cell.language, cell.network, cell.stands, cell.candidate]))
        for cell in [Cell(*row.values()) for row in await queries.fetch(_CELLS, run)]
    ]
    agreements = [Agreement(*row.values()) for row in await queries.fetch(_AGREEMENTS, run)]
    return Comparison(cells, agreements)


async def texts(queries: Queries, run: UUID, post_names: Sequence[str]) -> dict[str, str]:
    """What was judged of posts, of those that are still the same."""
    rows = await queries.fetch(_TEXTS, run, post_names)
    return {row["post_name"]: PostClassified.FromString(row["payload"]).post.utterance.text for row in rows}
