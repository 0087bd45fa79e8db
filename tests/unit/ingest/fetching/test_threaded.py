"""Reading a listing and the threads that it names: each once for each change, and none lost to a failure."""

from collections.abc import Sequence

import pytest

from services.ingest.fetching.coverage import Reason
from services.ingest.fetching.polling import Batch, Page, Threaded
from services.ingest.fetching.source import FetchFailed


class Forum:
    """Threads by name, each with a sign; `failing` tells which of them fail, and why."""

    def __init__(self, **threads: str) -> None:
        self.threads = threads
        self.failing: dict[str, Reason] = {}
        self.asked: list[tuple[str, str]] = []

    async def page(self, token: str | None) -> Page:  # noqa: ARG002 - it has one page
        return Page([repr(self.threads).encode()], [*self.threads], None, self.threads)

    async def answers(self, thread: str, since: str) -> Sequence[bytes]:
        if thread in self.failing:
            raise FetchFailed(self.failing[thread], "no")
        self.asked.append((thread, since))
        return [thread.encode()]


async def rounds(poll: Threaded, cursor: bytes | None = None) -> list[Batch]:
    """Look until there is no more."""
    found = [await poll.fetch(cursor)]
    while found[-1].more:
        found.append(await poll.fetch(found[-1].cursor))
    return found


async def test_a_thread_is_read_when_its_sign_has_changed() -> None:
    forum = Forum(a="1", b="1")
    poll = Threaded("i", forum)
    first = await rounds(poll)
    forum.threads["b"] = "2"
    await rounds(poll, first[-1].cursor)
    assert forum.asked == [("a", ""), ("b", ""), ("b", "1")]


async def test_after_a_failure_only_what_was_not_read_is_asked_for() -> None:
    forum = Forum(a="1", b="1", c="1")
    forum.failing = {"b": Reason.RATE_LIMITED}
    poll = Threaded("i", forum)
    listed = await poll.fetch(None)
    read_a = await poll.fetch(listed.cursor)
    with pytest.raises(FetchFailed):
        await poll.fetch(read_a.cursor)
    forum.failing = {}
    again = await rounds(Threaded("i", forum), read_a.cursor)
    assert [each.payloads for each in again] == [[b"b"], [b"c"]]


async def test_a_thread_that_is_gone_is_passed_by() -> None:
    forum = Forum(a="1", b="1")
    forum.failing = {"a": Reason.CLOSED}
    found = await rounds(Threaded("i", forum))
    assert [each.payloads for each in found[1:]] == [(), [b"b"]]
