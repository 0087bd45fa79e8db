"""Group commit: who waits for which commit, and what they are told, with a store that the test holds open."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from uuid import UUID

import pytest

from contracts.integrations import Integration
from services.ingest.accept import GroupCommit
from services.ingest.normalizer import Accepted, Normalizer
from services.ingest.rawpost import RawAuthor, RawPost
from services.ingest.refusals import Problem, Refused
from services.ingest.settings import AcceptSettings
from services.ingest.store import Entry

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
NORMALIZER = Normalizer(Integration(id="acme-import", tenant="acme", kind="import"), b"k" * 32)


class FakeStore:
    """Keeps event ids in memory; `open` lets commits through, `error` makes them fail."""

    def __init__(self) -> None:
        self.kept: set[UUID] = set()
        self.batches: list[int] = []
        self.open = asyncio.Event()
        self.error: Exception | None = None

    async def keep(self, entries: Sequence[Entry]) -> set[UUID]:
        self.batches.append(len(entries))
        await self.open.wait()
        if self.error:
            raise self.error
        fresh = {entry.columns.event_id for entry in entries} - self.kept
        self.kept |= fresh
        return set(fresh)


def post(native_id: str) -> Accepted:
    raw = RawPost(network="x", kind="public_post", native_id=native_id, author=RawAuthor(id="u1"), text="Why?")
    result = NORMALIZER.normalize(raw, received_at=NOW)
    assert isinstance(result, Accepted)
    return result


@asynccontextmanager
async def writing(
    store: FakeStore, settings: AcceptSettings | None = None, on_commit: Callable[[], None] = lambda: None
) -> AsyncIterator[GroupCommit]:
    acceptor = GroupCommit(store.keep, settings or AcceptSettings(), on_commit=on_commit)
    task = asyncio.create_task(acceptor.run())
    yield acceptor
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - the condition has no event
            await asyncio.sleep(0)


async def test_requests_that_arrive_during_a_commit_share_the_next_one() -> None:
    store = FakeStore()
    async with writing(store) as acceptor:
        requests = [asyncio.create_task(acceptor.accept([post("0")]))]
        await until(lambda: store.batches == [1])
        requests += [asyncio.create_task(acceptor.accept([post(str(n))])) for n in range(1, 5)]
        await asyncio.sleep(0)
        assert not any(request.done() for request in requests)
        store.open.set()
        receipts = await asyncio.gather(*requests)
    assert store.batches == [1, 4]
    assert all(len(receipt.accepted) == 1 for receipt in receipts)


async def test_of_two_equal_posts_in_a_batch_one_is_the_duplicate() -> None:
    store = FakeStore()
    store.open.set()
    async with writing(store) as acceptor:
        first, second = await asyncio.gather(acceptor.accept([post("1")]), acceptor.accept([post("1")]))
        again = await acceptor.accept([post("1"), post("2"), post("2")])
    assert (len(first.accepted), len(second.duplicates)) == (1, 1)
    assert (len(again.accepted), len(again.duplicates)) == (1, 2)


async def test_a_batch_takes_whole_requests_up_to_its_size() -> None:
    store = FakeStore()
    async with writing(store, AcceptSettings(batch_posts=3)) as acceptor:
        sizes = [1, 2, 2, 5, 1]
        requests = []
        for number, size in enumerate(sizes):
            posts = [post(f"{number}-{n}") for n in range(size)]
            requests.append(asyncio.create_task(acceptor.accept(posts)))
            await until(lambda: len(store.batches) == 1)
        store.open.set()
        await asyncio.gather(*requests)
    assert store.batches == [1, 2, 2, 5, 1]


@pytest.mark.parametrize("error", [ConnectionRefusedError(), TimeoutError(), ValueError("a defect")])
async def test_a_failed_commit_refuses_its_requests_and_the_next_may_succeed(error: Exception) -> None:
    store, commits = FakeStore(), list[None]()
    store.open.set()
    async with writing(store, on_commit=lambda: commits.append(None)) as acceptor:
        store.error = error
        with pytest.raises(Refused) as caught:
            await acceptor.accept([post("1")])
        assert caught.value.problem is Problem.STORE_UNAVAILABLE
        assert caught.value.retry_after_seconds
        assert acceptor.trouble() is not None
        store.error = None
        assert len((await acceptor.accept([post("1")])).accepted) == 1
        assert acceptor.trouble() is None
    assert len(commits) == 1


async def test_a_commit_that_hangs_is_given_up() -> None:
    async with writing(FakeStore(), AcceptSettings(commit_timeout_seconds=0.05)) as acceptor:
        with pytest.raises(Refused):
            await acceptor.accept([post("1")])


async def test_a_full_queue_refuses_at_once() -> None:
    store = FakeStore()
    async with writing(store, AcceptSettings(max_waiting_posts=500)) as acceptor:
        committing = asyncio.create_task(acceptor.accept([post("0")]))
        await until(lambda: store.batches == [1])
        waiting = asyncio.create_task(acceptor.accept([post(str(n)) for n in range(1, 501)]))
        await asyncio.sleep(0)
        with pytest.raises(Refused) as caught:
            await acceptor.accept([post("501")])
        assert caught.value.problem is Problem.ACCEPT_QUEUE_FULL
        store.open.set()
        await asyncio.gather(committing, waiting)
        assert len((await acceptor.accept([post("501")])).accepted) == 1


async def test_a_sender_that_left_holds_nobody_up() -> None:
    store = FakeStore()
    async with writing(store) as acceptor:
        gone = asyncio.create_task(acceptor.accept([post("1")]))
        staying = asyncio.create_task(acceptor.accept([post("2")]))
        await until(lambda: store.batches == [2])
        gone.cancel()
        store.open.set()
        assert len((await staying).accepted) == 1
    assert len(store.kept) == 2


async def test_whoever_waits_when_the_writer_stops_is_refused() -> None:
    store = FakeStore()
    async with writing(store) as acceptor:
        committing = asyncio.create_task(acceptor.accept([post("1")]))
        await until(lambda: store.batches == [1])
        queued = asyncio.create_task(acceptor.accept([post("2")]))
        await asyncio.sleep(0)
    for request in (committing, queued, acceptor.accept([post("3")])):
        with pytest.raises(Refused):
            await request
