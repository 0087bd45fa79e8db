"""PostgreSQL or Kafka away, and processes that die at the worst moment: nothing accepted is lost or out of order."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from functools import partial

import pytest

from ascolto.posts.v1.post_pb2 import PostReceived
from chassis.dev_issuer import DevIssuer
from contracts.codec import Event
from tests.integration.ingest.polling import until
from tests.integration.ingest.running import Account, post, running_ingest
from tests.integration.ingest.wire import Wire

pytestmark = pytest.mark.integration
NO_KAFKA = "127.0.0.1:1"


async def test_without_postgres_senders_are_told_to_come_back(
    account: Account, postgres_wire: Wire, topics: str, issuer: DevIssuer
) -> None:
    async with running_ingest(account, dsn=postgres_wire.dsn, kafka=topics, issuer=issuer.url) as ingest:
        assert (await ingest.deliver(post("1"))).status_code == 200
        postgres_wire.cut()
        refused = [await ingest.deliver(post("2")), await ingest.say({"text": "Hi"})]
        await postgres_wire.mend()
        again = await until(lambda: ingest.deliver(post("2")), lambda response: response.status_code == 200)
        assert [(each.status_code, each.json()["code"]) for each in refused] == [(503, "STORE_UNAVAILABLE")] * 2
        assert all(int(each.headers["retry-after"]) >= 1 for each in refused)
        assert len(again.json()["accepted"]) == 1
        await until(ingest.published, lambda events: len(_ids(events)) == 2)


async def test_a_connection_cut_under_load_never_gives_a_false_200(
    account: Account, postgres_wire: Wire, topics: str, issuer: DevIssuer
) -> None:
    async with running_ingest(account, dsn=postgres_wire.dsn, kafka=topics, issuer=issuer.url) as ingest:
        promised, sending = set[str](), True

        async def send(sender: int) -> None:
            number = 0
            while sending:
                response = await ingest.deliver(post(f"{sender}-{number}"))
                if response.status_code == 200:
                    promised.update(response.json()["accepted"] + response.json()["duplicates"])
                    number += 1
                else:
                    await asyncio.sleep(0.02)

        senders = [asyncio.create_task(send(sender)) for sender in range(8)]
        for _ in range(4):
            await until(partial(_grown, promised, len(promised) + 20))
            postgres_wire.cut()
            await postgres_wire.mend()
        sending = False
        await asyncio.gather(*senders)
        kept = {str(row["event_id"]) for row in await ingest.rows()}
        assert promised <= kept
        # A relay that lost its session may have published some twice: what counts is that none is missing.
        events = await until(ingest.published, lambda events: _ids(events) >= kept)
        assert _ids(events) == kept


def _ids(events: Iterable[Event[PostReceived]]) -> set[str]:
    return {str(event.metadata.event_id) for event in events}


async def _grown(promised: set[str], size: int) -> bool:
    return len(promised) >= size


async def test_what_was_accepted_without_kafka_arrives_in_order_from_the_next_process(
    account: Account, migrated_dsn: str, topics: str, issuer: DevIssuer
) -> None:
    async with running_ingest(account, dsn=migrated_dsn, kafka=NO_KAFKA, issuer=issuer.url) as ingest:
        for number in range(30):
            thread = f"thread-{number % 3}"
            response = await ingest.deliver(post(str(number), native_thread_id=thread))
            assert response.status_code == 200
    async with running_ingest(account, dsn=migrated_dsn, kafka=topics, issuer=issuer.url) as successor:
        events = await until(successor.published, lambda events: len(events) >= 30)
    by_conversation = defaultdict(list)
    for event in events:
        by_conversation[event.message.post.conversation].append(int(event.message.post.native_id))
    assert sorted(len(numbers) for numbers in by_conversation.values()) == [10, 10, 10]
    assert all(numbers == sorted(numbers) for numbers in by_conversation.values())
