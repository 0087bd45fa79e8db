"""What a person says of a post stands over every model, earlier or later, and is told once."""

import asyncio
from uuid import UUID, uuid4

import grpc
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from ascolto.classification.v1 import classification_pb2 as classification
from ascolto.posts.v1 import post_pb2 as posts
from ascolto.routing.v1 import routing_service_pb2 as pb
from chassis.grpc_client import explain_details
from chassis.messages import Record
from chassis.outbox import read_headers
from chassis.postgres import Pool, PostgresSettings, connect
from contracts.codec import decode
from services.routing import metrics
from services.routing.decisions import classify_batch
from services.routing.facts import read
from services.routing.handlers import Projector
from services.routing.store.folding import save
from services.routing.store.labels import edited_since, examples, labels_of
from tests.factories import make_event, make_post_received
from tests.integration.routing.records import (
    COMPLAINT,
    QUESTION,
    as_record,
    classified,
    deleted,
    edited,
    facts_of,
    name_of,
    promoted,
    unsure,
)
from tests.integration.routing.serving import Parrot, correct, correction, decision_of, outcomes, reason_of, serving

pytestmark = pytest.mark.integration
FEEDBACK = classification.CATEGORY_FEEDBACK
POST = name_of("p")


async def told(pool: Pool) -> list[classification.CategoryCorrected]:
    """The corrections in the outbox, in their order."""
    rows = await pool.fetch("SELECT topic, key, value, headers::text AS headers FROM outbox ORDER BY id")
    records = [Record(row["topic"], 0, 0, 0, row["key"], row["value"], read_headers(row["headers"])) for row in rows]
    messages = [decode(record).message for record in records]
    return [message for message in messages if isinstance(message, classification.CategoryCorrected)]


async def test_a_correction_is_label_decision_and_event_at_once(pool: Pool, projector: Projector) -> None:
    await projector.handle(facts_of([unsure(native_id="p", text="and now")]))
    async with serving(pool) as served:
        decision = await correct(await served.caller(), POST)
    (event,) = await told(pool)
    label = await pool.fetchrow("SELECT category, reason, corrected_by FROM label WHERE post_name = $1", POST)
    assert (decision.classification.category, decision.corrected_by) == (QUESTION, "users/ada")
    assert label is not None
    assert tuple(label.values()) == ("question", "they ask", "users/ada")
    assert (event.was_decision, event.corrected.classification) == (
        classification.DECISION_ABSTAINED,
        decision.classification,
    )
    assert event.corrected.post.utterance.text == decision.post.utterance.text == "and now"


async def test_the_event_folds_into_what_stands(pool: Pool, projector: Projector) -> None:
    """So a rebuild from the log ends where the correction did."""
    await projector.handle(facts_of([classified(native_id="p")]))
    async with serving(pool) as served:
        await correct(await served.caller(), POST)
    row = await pool.fetchrow("SELECT topic, key, value, headers::text AS headers FROM outbox")
    assert row is not None
    fact = read(Record(row["topic"], 0, 0, 0, row["key"], row["value"], read_headers(row["headers"])))
    before = await pool.fetch("SELECT * FROM decision")
    async with pool.acquire() as connection:
        assert await save(connection, [fact]) == set()
    assert (await pool.fetch("SELECT * FROM decision"), fact.event_id) == (before, before[0]["event_id"])


async def test_a_request_that_is_repeated_acts_once_and_is_answered_alike(pool: Pool, projector: Projector) -> None:
    await projector.handle(facts_of([classified(native_id="p")]))
    async with serving(pool) as served:
        stub = await served.caller()
        request = correction(await decision_of(stub, POST))
        first, second = await stub.CorrectCategory(request), await stub.CorrectCategory(request)
    assert (len(await told(pool)), second) == (1, first)


async def test_a_stored_answer_holds_nothing_that_was_said(pool: Pool, projector: Projector) -> None:
    await projector.handle(facts_of([classified(native_id="p", text="SECRET")]))
    async with serving(pool) as served:
        await correct(await served.caller(), POST)
    assert b"SECRET" not in await pool.fetchval("SELECT response FROM request")


async def test_of_two_corrections_at_once_one_is_told_to_read_again(pool: Pool, projector: Projector) -> None:
    await projector.handle(facts_of([classified(native_id="p")]))
    async with serving(pool) as served:
        ada, ben = await served.caller(subject="ada"), await served.caller(subject="ben")
        standing = await decision_of(ada, POST)
        calls = [
            ada.CorrectCategory(correction(standing, QUESTION)),
            ben.CorrectCategory(correction(standing, FEEDBACK)),
        ]
        ends = await outcomes(calls)
        after = await decision_of(ada, POST)
    label = await pool.fetchval("SELECT category FROM label")
    assert sorted(ends) == ["ETAG_MISMATCH", "OK"]
    assert (len(await told(pool)), label) == (1, "question" if ends[0] == "OK" else "feedback")
    assert after.corrected_by == ("users/ada" if ends[0] == "OK" else "users/ben")


async def test_the_last_person_to_speak_is_heard(pool: Pool, projector: Projector) -> None:
    await projector.handle(facts_of([classified(native_id="p")]))
    async with serving(pool) as served:
        await correct(await served.caller(subject="ada"), POST, QUESTION)
        last = await correct(await served.caller(subject="ben"), POST, FEEDBACK)
    events = await told(pool)
    assert (last.classification.category, last.corrected_by) == (FEEDBACK, "users/ben")
    assert [(each.was, each.corrected.classification.category) for each in events] == [
        (COMPLAINT, QUESTION),
        (QUESTION, FEEDBACK),
    ]


async def test_to_agree_with_the_model_makes_it_a_persons_word(pool: Pool, projector: Projector) -> None:
    await projector.handle(facts_of([classified(COMPLAINT, native_id="p")]))
    async with serving(pool) as served:
        decision = await correct(await served.caller(), POST, COMPLAINT)
    assert decision.classification.decision == classification.DECISION_CORRECTED
    assert decision.classification.stage == classification.STAGE_PERSON


async def test_a_label_stands_over_a_later_model(pool: Pool, projector: Projector) -> None:
    await projector.handle(facts_of([classified(native_id="p")]))
    async with serving(pool) as served:
        stub = await served.caller()
        await correct(stub, POST)
        await projector.handle(facts_of([promoted(native_id="p"), classified(native_id="p")]))
        decision = await decision_of(stub, POST)
    assert decision.classification.category == QUESTION


async def test_a_revision_that_was_classified_without_the_label_is_corrected(pool: Pool, projector: Projector) -> None:
    """The person spoke between the look-up of labels and the classification."""
    await projector.handle(facts_of([classified(native_id="p")]))
    async with serving(pool) as served:
        stub = await served.caller()
        await correct(stub, POST)
        late = facts_of([edited(native_id="p", text="and again")])
        await projector.handle(late)
        await projector.handle(late)
        decision = await decision_of(stub, POST)
    first, second = await told(pool)
    assert (decision.classification.category, decision.post.revision) == (QUESTION, 2)
    assert (second.corrected.post.revision, second.corrected_by, second.was) == (2, first.corrected_by, COMPLAINT)


async def test_a_later_revision_is_classified_by_the_label(pool: Pool, projector: Projector) -> None:
    await projector.handle(facts_of([classified(native_id="p")]))
    async with serving(pool) as served:
        stub = await served.caller()
        await correct(stub, POST)
        received = make_post_received(native_id="p", text="complaint again", state=posts.STATE_EDITED, revision=2)
        labels = await labels_of(pool, [POST])
        out = classify_batch(Parrot(), [make_event(received)], labels)  # type: ignore[list-item] # a PostReceived
        await projector.handle([read(as_record(each)) for each in out])
        decision = await decision_of(stub, POST)
    assert (decision.classification.decision, decision.corrected_by) == (classification.DECISION_CORRECTED, "users/ada")
    assert (decision.classification.model, decision.post.revision) == ("models/parrot@1", 2)
    assert len(await told(pool)) == 1


async def test_a_deletion_ends_a_labelled_post(pool: Pool, projector: Projector) -> None:
    await projector.handle(facts_of([classified(native_id="p")]))
    async with serving(pool) as served:
        stub = await served.caller()
        standing = await decision_of(stub, POST)
        await correct(stub, POST)
        await projector.handle(facts_of([deleted(native_id="p")]))
        gone = await decision_of(stub, POST)
        refused = await reason_of(stub.CorrectCategory(correction(standing)))
    assert (gone.classification.decision, gone.HasField("post")) == (classification.DECISION_RULE, False)
    assert (refused, len(await told(pool))) == (("NOT_FOUND", "RESOURCE_NOT_FOUND"), 1)


@pytest.mark.parametrize(
    ("parts", "ends"),
    [
        ({"category": classification.CATEGORY_UNSPECIFIED}, ("INVALID_ARGUMENT", "FIELD_INVALID")),
        ({"category": QUESTION, "kind": classification.KIND_PRAISE}, ("INVALID_ARGUMENT", "FIELD_INVALID")),
        ({"category": QUESTION, "reason": "x" * 501}, ("INVALID_ARGUMENT", "FIELD_INVALID")),
        ({"category": QUESTION, "reason": " \n"}, ("INVALID_ARGUMENT", "FIELD_INVALID")),
        ({"category": QUESTION, "post": f"tenants/acme/posts/{'x' * 20_000}"}, ("INVALID_ARGUMENT", "FIELD_INVALID")),
        ({"category": QUESTION, "etag": "of yesterday"}, ("ABORTED", "ETAG_MISMATCH")),
        ({"category": QUESTION, "request_id": "1"}, ("INVALID_ARGUMENT", "REQUEST_ID_INVALID")),
        ({"category": QUESTION, "post": "posts/p"}, ("INVALID_ARGUMENT", "FIELD_INVALID")),
        ({"category": QUESTION, "post": f"tenants/acme/posts/{UUID(int=1)}"}, ("NOT_FOUND", "RESOURCE_NOT_FOUND")),
    ],
)
async def test_what_cannot_be_meant_is_refused(
    pool: Pool, projector: Projector, parts: dict[str, object], ends: tuple[str, str]
) -> None:
    await projector.handle(facts_of([classified(native_id="p")]))
    async with serving(pool) as served:
        stub = await served.caller()
        request = correction(await decision_of(stub, POST))
        for name, value in parts.items():
            setattr(request, name, value)
        assert await reason_of(stub.CorrectCategory(request)) == ends
    assert await pool.fetchval("SELECT count(*) FROM label") == 0


async def test_a_reason_that_is_missing_is_named(pool: Pool, projector: Projector) -> None:
    await projector.handle(facts_of([classified(native_id="p")]))
    async with serving(pool) as served:
        stub = await served.caller()
        request = correction(await decision_of(stub, POST))
        request.reason = " "
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.CorrectCategory(request)
    details = explain_details(caught.value)
    assert details is not None
    assert [field for field, _ in details.violations] == ["reason"]


async def test_a_persons_word_is_counted_once(
    pool: Pool, projector: Projector, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = InMemoryMetricReader()
    meter = MeterProvider([reader]).get_meter("test")
    monkeypatch.setattr(metrics, "_labelled", meter.create_counter("ascolto.routing.labelled"))
    await projector.handle(facts_of([classified(COMPLAINT, native_id="p")]))
    async with serving(pool) as served:
        stub = await served.caller()
        request = correction(await decision_of(stub, POST))
        for _ in range(2):
            await stub.CorrectCategory(request)
        await correct(stub, POST, FEEDBACK)
    data = reader.get_metrics_data()
    assert data is not None
    (point,) = data.resource_metrics[0].scope_metrics[0].metrics[0].data.data_points
    assert (getattr(point, "value", None), dict(point.attributes or {})) == (
        1,
        {metrics.NETWORK: "x", metrics.CONFIDENCE: "0.9-1.0", metrics.RIGHT: False},
    )


async def test_another_tenants_post_does_not_exist_for_the_caller(pool: Pool, projector: Projector) -> None:
    await projector.handle(facts_of([classified(native_id="p")]))
    async with serving(pool) as served:
        standing = await decision_of(await served.caller(), POST)
        stranger = await served.caller(tenant="rival")
        ends = await outcomes(
            [
                stranger.CorrectCategory(correction(standing)),
                stranger.GetDecision(pb.GetDecisionRequest(post=POST)),
            ]
        )
    assert ends == ["RESOURCE_NOT_FOUND", "RESOURCE_NOT_FOUND"]


async def test_only_those_who_may_do_so_correct(pool: Pool, projector: Projector) -> None:
    await projector.handle(facts_of([classified(native_id="p")]))
    async with serving(pool) as served:
        reader = await served.caller("product")
        request = correction(await decision_of(reader, POST))
        assert await reason_of(reader.CorrectCategory(request)) == ("PERMISSION_DENIED", "ROLE_MISSING")


async def test_the_export_holds_what_people_labelled_and_still_stands(
    pool: Pool, projector: Projector, postgres: PostgresSettings
) -> None:
    names = ("p", "deleted", "edited", "unlabelled", "no kind")
    await projector.handle(facts_of(classified(native_id=name, text=f"text of {name}") for name in names))
    async with serving(pool) as served:
        stub = await served.caller()
        for name in names[:3]:
            await correct(stub, name_of(name), kind=classification.KIND_INFORMATION_REQUEST)
        await correct(stub, name_of("no kind"))
    await projector.handle(facts_of([deleted(native_id="deleted"), edited(native_id="edited", text="another text")]))
    connection = await connect(postgres, schema="routing", application_name="test")
    found = [each async for each in examples(connection, "acme")]
    left_out = await edited_since(connection, "acme")
    await connection.close()
    assert [(each.text, each.category, each.kind, each.language, each.network) for each in found] == [
        ("text of p", "question", "information_request", "en", "x"),
        ("text of no kind", "question", None, "en", "x"),
    ]
    assert left_out == 1


async def test_a_correction_and_a_revision_at_once_end_in_the_label(pool: Pool, projector: Projector) -> None:
    await projector.handle(facts_of(classified(native_id=f"p{number}") for number in range(12)))
    async with serving(pool) as served:
        stub = await served.caller()
        standing = [await decision_of(stub, name_of(f"p{number}")) for number in range(12)]
        calls = [stub.CorrectCategory(correction(each, request_id=str(uuid4()))) for each in standing]
        revisions = [projector.handle(facts_of([edited(native_id=f"p{number}")])) for number in range(12)]
        ends, _ = await asyncio.gather(outcomes(calls), asyncio.gather(*revisions))
        after = [await decision_of(stub, name_of(f"p{number}")) for number in range(12)]
    wanted = [QUESTION if end == "OK" else COMPLAINT for end in ends]
    assert set(ends) <= {"OK", "ETAG_MISMATCH"}
    assert [(each.classification.category, each.post.revision) for each in after] == [(each, 2) for each in wanted]
