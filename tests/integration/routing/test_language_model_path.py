"""Stage 3 in the hot path, on the real Kafka and PostgreSQL: unsure posts go where the answer says."""

import asyncio
from time import monotonic

import pytest

from ascolto.classification.v1 import classification_pb2 as classification
from chassis.kafka import KafkaSettings, read_range
from chassis.postgres import PostgresSettings
from contracts import identity
from contracts.codec import decode, encode
from contracts.topics import COMPLAINTS, POSTS, TRIAGE
from services.routing.language_model import LanguageModelSettings
from tests.factories import make_event, make_post_received
from tests.integration.routing.endpoint import Endpoint, serving_endpoint
from tests.integration.routing.processes import move_groups, process, publish, uncommitted

pytestmark = pytest.mark.integration
GIBBERISH = ("qwzx vbnt kkpl", "zzzt wqwq xyxy", "gnrf plok dwee")


@pytest.fixture
async def kafka(topics: str) -> KafkaSettings:
    settings = KafkaSettings.model_validate({"bootstrap_servers": topics})
    await move_groups(settings, to_end=True)
    return settings


async def publish_gibberish(kafka: KafkaSettings) -> None:
    messages = [make_post_received(text=text, native_id=text) for text in GIBBERISH]
    await publish(
        kafka, [encode(POSTS, identity.last_segment(each.post.conversation), make_event(each)) for each in messages]
    )


async def drained(kafka: KafkaSettings) -> None:
    deadline = monotonic() + 40
    while await uncommitted(kafka):
        assert monotonic() < deadline, "the posts were not classified in time"
        await asyncio.sleep(0.05)


async def told(kafka: KafkaSettings, topic: str) -> list[classification.Classification]:
    records = [record async for record in read_range(kafka, topic)]
    return [decode(record).message.classification for record in records]  # type: ignore[attr-defined]


async def test_what_is_unsure_goes_where_the_language_model_says(
    kafka: KafkaSettings, postgres: PostgresSettings
) -> None:
    async with (
        serving_endpoint(endpoint := Endpoint()) as url,
        process(postgres, kafka, LanguageModelSettings(url=url, model="small")),
    ):
        await publish_gibberish(kafka)
        await drained(kafka)
    found = await told(kafka, COMPLAINTS.name)
    assert len(endpoint.asked) == len(found) == len(GIBBERISH)
    assert {(each.stage, each.model) for each in found} == {(classification.STAGE_LANGUAGE_MODEL, "models/small")}


async def test_without_an_answer_a_person_decides(kafka: KafkaSettings, postgres: PostgresSettings) -> None:
    async with process(postgres, kafka, LanguageModelSettings(url="http://127.0.0.1:1/v1", model="small")):
        await publish_gibberish(kafka)
        await drained(kafka)
    found = await told(kafka, TRIAGE.name)
    assert {each.decision for each in found} == {classification.DECISION_ABSTAINED}
    assert len(found) == len(GIBBERISH)
