"""The queue of triage, dry runs, and how a post came to be what it is."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from ascolto.classification.v1 import classification_pb2 as classification
from ascolto.posts.v1 import post_pb2 as posts
from ascolto.routing.v1 import routing_service_pb2 as pb
from chassis.postgres import Pool
from contracts.identity import tenant_of
from services.routing.decisions import mix_told
from services.routing.handlers import Projector
from services.routing.judgement import Mix
from services.routing.mix import Stream
from services.routing.venues import Venue
from tests.factories import NOW, timestamp
from tests.integration.routing.records import (
    COMPLAINT,
    QUESTION,
    classified,
    corrected,
    deleted,
    edited,
    facts_of,
    name_of,
    promoted,
    unsure,
)
from tests.integration.routing.serving import Stub, correct, decision_of, outcomes, reason_of, serving

pytestmark = pytest.mark.integration


async def queue(stub: Stub, *, page_size: int = 50, languages: Sequence[str] = ()) -> list[pb.Decision]:
    """The whole queue, page by page."""
    found: list[pb.Decision] = []
    token = ""
    while True:
        page = await stub.ListTriage(
            pb.ListTriageRequest(page_size=page_size, page_token=token, languages=list(languages))
        )
        found += page.decisions
        token = page.next_page_token
        if not token:
            return found


def names(decisions: Sequence[pb.Decision]) -> list[str]:
    return [decision.post.native_id for decision in decisions]


async def test_the_queue_holds_what_waits_and_nothing_else(pool: Pool, projector: Projector) -> None:
    told = [unsure(native_id=name) for name in ("waits", "gone", "sorted", "elsewhere", "edited")]
    told += [classified(native_id="sure"), deleted(native_id="gone"), edited(native_id="edited")]
    told += [unsure(native_id="theirs", tenant="rival")]
    await projector.handle(facts_of(told))
    async with serving(pool) as served:
        stub = await served.caller()
        await correct(stub, name_of("sorted"))
        assert sorted(names(await queue(stub))) == ["elsewhere", "waits"]


@pytest.mark.parametrize("page_size", [1, 2, 50])
async def test_urgent_posts_come_first_but_for_a_limited_time(pool: Pool, projector: Projector, page_size: int) -> None:
    def at(hours: float, name: str, **parts: Any) -> Any:
        return unsure(native_id=name, time=NOW + timedelta(hours=hours), **parts)

    told = [
        at(0, "old"),
        at(1, "raised", urgency=classification.URGENCY_LEVEL_RAISED),
        at(3, "high", urgency=classification.URGENCY_LEVEL_HIGH),
        at(7, "critical", urgency=classification.URGENCY_LEVEL_CRITICAL),
        at(9, "too late", urgency=classification.URGENCY_LEVEL_CRITICAL),
        at(-1, "low", priority=classification.PRIORITY_LOW),
        at(7.5, "urgent by rule", priority=classification.PRIORITY_URGENT),
    ]
    await projector.handle(facts_of(told))
    async with serving(pool) as served:
        found = await queue(await served.caller(), page_size=page_size)
    expected = ["critical", "urgent by rule", "old", "raised", "high", "low", "too late"]
    assert sorted(names(found)[2:]) == sorted(expected[2:])
    assert names(found)[:3] == expected[:3]
    moments = [decision.priority_time.ToDatetime() for decision in found]
    assert moments == sorted(moments)


async def test_the_queue_is_filtered_by_language(pool: Pool, projector: Projector) -> None:
    await projector.handle(facts_of(unsure(native_id=tag, language=tag) for tag in ("it", "pt-BR", "de")))
    async with serving(pool) as served:
        found = await queue(await served.caller(), languages=["pt", "IT"])
    assert sorted(names(found)) == ["it", "pt-BR"]


async def test_a_page_token_is_good_for_its_question_only(pool: Pool, projector: Projector) -> None:
    await projector.handle(facts_of(unsure(native_id=f"p{number}") for number in range(3)))
    async with serving(pool) as served:
        stub = await served.caller()
        page = await stub.ListTriage(pb.ListTriageRequest(page_size=1))
        stranger = await served.caller(tenant="rival")
        other = pb.ListTriageRequest(page_token=page.next_page_token, languages=["it"])
        same = pb.ListTriageRequest(page_token=page.next_page_token)
        ends = await outcomes([stub.ListTriage(other), stranger.ListTriage(same), stub.ListTriage(same)])
    assert ends == ["PAGE_TOKEN_INVALID", "PAGE_TOKEN_INVALID", "OK"]


async def test_a_page_of_long_posts_ends_early_and_loses_none(pool: Pool, projector: Projector) -> None:
    await projector.handle(facts_of(unsure(native_id=f"p{number}", text="x" * 600_000) for number in range(7)))
    async with serving(pool) as served:
        stub = await served.caller()
        first = await stub.ListTriage(pb.ListTriageRequest())
        found = await queue(stub)
    assert len(first.decisions) < 7
    assert len({decision.post_name for decision in found}) == len(found) == 7


async def test_a_dry_run_classifies_and_keeps_nothing(pool: Pool) -> None:
    def by_stars(made: classification.Classification, post: posts.Post, _: datetime) -> classification.Handling:
        angry = made.category == COMPLAINT and post.reach.rating == 1
        return classification.Handling(queue="angry" if angry else "calm", respond_by=timestamp(NOW))

    items = [
        pb.ClassifyRequest.Item(text="complaint about a lamp", rating=1, followers=20_000),
        pb.ClassifyRequest.Item(text="question", reply=True, network="x", language_hint="en"),
        pb.ClassifyRequest.Item(text=""),
    ]
    async with serving(pool, by_stars) as served:
        answer = await (await served.caller("engineer")).Classify(pb.ClassifyRequest(items=items))
    made = [result.classification for result in answer.results]
    assert [each.category for each in made] == [COMPLAINT, QUESTION, classification.CATEGORY_OTHER]
    assert [result.handling.queue for result in answer.results] == ["angry", "calm", "calm"]
    assert list(made[0].urgency.reasons) == [classification.URGENCY_REASON_PUBLIC_REACH]
    assert (made[0].kind, made[0].stage, made[2].decision) == (
        classification.KIND_SERVICE_PROBLEM,
        classification.STAGE_LINEAR,
        classification.DECISION_RULE,
    )
    assert await pool.fetchval("SELECT count(*) FROM decision") == 0


async def test_a_dry_run_knows_the_mix_of_the_callers_stream(pool: Pool) -> None:
    mix = Mix(0.125, 0.625, 0.125, 0.125)

    def mix_of(post: posts.Post, stream: Stream) -> Mix | None:
        return mix if (tenant_of(post.name), stream) == ("acme", Stream("x", Venue.MICROBLOG)) else None

    items = [pb.ClassifyRequest.Item(text="question", network=network) for network in ("x", "telegram")]
    async with serving(pool, mix_of=mix_of) as served:
        answer = await (await served.caller()).Classify(pb.ClassifyRequest(items=items))
    assert [mix_told(result.classification) for result in answer.results] == [mix, None]


@pytest.mark.parametrize(
    "items", [[pb.ClassifyRequest.Item(text="question")] * 501, [pb.ClassifyRequest.Item(text="question", rating=6)]]
)
async def test_a_dry_run_has_its_limits(pool: Pool, items: list[pb.ClassifyRequest.Item]) -> None:
    async with serving(pool) as served:
        call = (await served.caller()).Classify(pb.ClassifyRequest(items=items))
        assert await reason_of(call) == ("INVALID_ARGUMENT", "FIELD_INVALID")


async def test_a_decision_is_told_with_all_that_came_before_it(pool: Pool, projector: Projector) -> None:
    told = [
        classified(native_id="p", text="first"),
        edited(native_id="p", text="second"),
        promoted(native_id="p", state=posts.STATE_EDITED, revision=2, text="second"),
        corrected(native_id="p", state=posts.STATE_EDITED, revision=2, text="second"),
    ]
    await projector.handle(facts_of(told))
    async with serving(pool) as served:
        answer = await (await served.caller("product")).GetDecision(pb.GetDecisionRequest(post=name_of("p")))
    assert (answer.decision.post.utterance.text, answer.decision.corrected_by) == ("second", "users/ann")
    assert [(each.corrected_by, each.correction_reason) for each in answer.earlier] == [
        ("", "they want an answer"),
        ("", ""),
        ("", ""),
    ]
    assert [each.HasField("post") for each in answer.earlier] == [False] * 3
    assert [each.classification.category for each in answer.earlier] == [
        classification.CATEGORY_OTHER,
        COMPLAINT,
        COMPLAINT,
    ]
    etags = {answer.decision.etag, *(each.etag for each in answer.earlier)}
    assert len(etags) == 4


async def test_a_promoted_model_is_no_person(pool: Pool, projector: Projector) -> None:
    await projector.handle(facts_of([classified(native_id="p"), promoted(native_id="p")]))
    async with serving(pool) as served:
        decision = await decision_of(await served.caller(), name_of("p"))
    assert (decision.HasField("corrected_by"), decision.correction_reason) == (False, "they want an answer")


@pytest.mark.parametrize("post", ["x" * 20_000, f"tenants/acme/posts/{'🦜' * 20_000}"])
async def test_a_name_without_end_is_refused(pool: Pool, post: str) -> None:
    async with serving(pool) as served:
        call = (await served.caller()).GetDecision(pb.GetDecisionRequest(post=post))
        assert await reason_of(call) == ("INVALID_ARGUMENT", "FIELD_INVALID")


async def test_calls_ask_for_their_roles(pool: Pool) -> None:
    async with serving(pool) as served:
        product, engineer = await served.caller("product"), await served.caller("engineer")
        ends = await outcomes(
            [
                product.Classify(pb.ClassifyRequest()),
                engineer.ListTriage(pb.ListTriageRequest()),
                engineer.Classify(pb.ClassifyRequest()),
                product.GetDecision(pb.GetDecisionRequest(post=name_of("p"))),
            ]
        )
    assert ends == ["ROLE_MISSING", "ROLE_MISSING", "OK", "RESOURCE_NOT_FOUND"]
