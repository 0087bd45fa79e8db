"""The posts behind a count: whatever is asked, pages give exactly those, and what a narrow question reads is little."""

import json
import random
from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from ascolto.classification.v1 import classification_pb2 as classification
from chassis.postgres import Pool
from services.feedback.cursors import Place
from services.feedback.filters import Filter, TimeRange
from services.feedback.handlers import Projector
from services.feedback.projection import Heard, Post
from services.feedback.store.evidence import _QUERY, MAX_PAGE_BYTES, list_posts
from tests.factories import NOW
from tests.integration.feedback.records import classified, facts_of

pytestmark = pytest.mark.integration
QUESTION, COMPLAINT = classification.CATEGORY_QUESTION, classification.CATEGORY_COMPLAINT
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def posts_of_a_day(chance: random.Random) -> list[Heard]:
    """Hours with many, few and no posts of each sort; many share their time or lie on an hour's edge."""
    said = [
        classified(
            chance.choice((QUESTION, QUESTION, COMPLAINT)),
            create_time=NOW + chance.choice((0, 1, 2, 5, 23)) * HOUR + chance.choice((0, 0, 15, 59)) * MINUTE,
            network=chance.choice(("x", "x", "telegram")),
            language=chance.choice(("en", "en", "it")),
            decision=chance.choice((classification.DECISION_ASSIGNED,) * 5 + (classification.DECISION_ABSTAINED,)),
            own=chance.random() < 0.1,
        )
        for _ in range(150)
    ]
    return [fact for fact in facts_of(said) if isinstance(fact, Heard)]


def questions(chance: random.Random) -> Iterator[tuple[Filter, TimeRange, int]]:
    bounds = [None, NOW, NOW + 15 * MINUTE, NOW + HOUR, NOW + 119 * MINUTE, NOW + 9 * HOUR, NOW + 24 * HOUR]
    spans = [TimeRange(start, end) for start, end in product(bounds, bounds) if not (start and end and start >= end)]
    for _ in range(60):
        narrowed = Filter(
            categories=chance.choice((None, ("complaint",), ("complaint", "question"), ("other",))),
            networks=chance.choice((None, ("telegram",), ("x", "telegram"))),
            languages=chance.choice((None, ("it",), ("en",))),
            triage=chance.choice((None, None, True, False)),
        )
        yield narrowed, chance.choice(spans), chance.choice((1, 2, 7, 50))


def belongs(post: Post, narrowed: Filter, span: TimeRange) -> bool:
    return (
        post.cell is not None
        and (narrowed.categories is None or post.category in narrowed.categories)
        and (narrowed.networks is None or post.network in narrowed.networks)
        and (narrowed.languages is None or post.language in narrowed.languages)
        and (narrowed.triage is None or post.cell.triage == narrowed.triage)
        and (span.start is None or post.event_time >= span.start)
        and (span.end is None or post.event_time < span.end)
    )


async def listed(pool: Pool, narrowed: Filter, span: TimeRange, size: int) -> list[Place]:
    found: list[Place] = []
    more = True
    while more:
        rows, more = await list_posts(pool, "acme", narrowed, span, found[-1] if found else None, limit=size)
        assert len(rows) == size or not more
        found += [Place(row["event_time"], row["post_name"]) for row in rows]
    return found


@pytest.mark.parametrize("seed", range(3))
async def test_pages_of_any_question_give_its_posts_newest_first(pool: Pool, projector: Projector, seed: int) -> None:
    chance = random.Random(seed)
    facts = posts_of_a_day(chance)
    await projector.handle(facts)
    for narrowed, span, size in questions(chance):
        posts = [fact.post for fact in facts if belongs(fact.post, narrowed, span)]
        expected = sorted((Place(post.event_time, post.post_name) for post in posts), reverse=True)
        assert await listed(pool, narrowed, span, size) == expected


def read_of(plan: dict[str, Any], table: str) -> int:
    """How many rows of a table a plan has looked at."""
    removed = plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
    here = (plan["Actual Rows"] + removed) * plan["Actual Loops"] if plan.get("Relation Name") == table else 0
    return round(here) + sum(read_of(part, table) for part in plan.get("Plans", []))


async def test_a_narrow_question_reads_the_hours_of_its_posts_alone(pool: Pool, projector: Projector) -> None:
    said = [classified(create_time=NOW + number % 100 * HOUR) for number in range(2_000)]
    unsure = classified(decision=classification.DECISION_ABSTAINED, create_time=NOW + 3 * HOUR)
    await projector.handle(facts_of([*said, unsure]))
    triage = ("acme", *(None,) * 5, True, None, None, 51, MAX_PAGE_BYTES)
    (explained,) = json.loads(await pool.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {_QUERY}", *triage))
    assert explained["Plan"]["Actual Rows"] == 1
    assert read_of(explained["Plan"], "post") <= 21
