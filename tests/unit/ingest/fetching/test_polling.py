"""Reading a listing from its newest item back to what is known, and several listings in turn."""

import pytest

from services.ingest.fetching.api import check
from services.ingest.fetching.coverage import Missed, Reason
from services.ingest.fetching.polling import Batch, InTurn, NewestFirst, Page
from services.ingest.fetching.source import FetchFailed


class Shelf:
    """A listing of numbered items in pages of three; the token of a page is where it starts."""

    def __init__(self, items: int) -> None:
        self.items = list(range(items, 0, -1))
        self.asked: list[str | None] = []

    def add(self, count: int) -> None:
        newest = max(self.items, default=0)
        self.items = [*range(newest + count, newest, -1), *self.items]

    async def page(self, token: str | None) -> Page:
        self.asked.append(token)
        start = int(token or 0)
        items = self.items[start : start + 3]
        following = str(start + 3) if start + 3 < len(self.items) else None
        return Page([repr(items).encode()], [str(each) for each in items], following)


async def test_the_first_look_reads_one_page() -> None:
    shelf = Shelf(10)
    batch = await NewestFirst("i", shelf).fetch(None)
    assert batch.payloads == [b"[10, 9, 8]"]


async def test_what_came_since_is_given_oldest_page_first() -> None:
    shelf = Shelf(10)
    poll = NewestFirst("i", shelf)
    cursor = (await poll.fetch(None)).cursor
    shelf.add(5)
    batch = await poll.fetch(cursor)
    assert (batch.payloads, batch.missed) == ([b"[12, 11, 10]", b"[15, 14, 13]"], None)


async def test_an_unchanged_page_is_not_given_again() -> None:
    poll = NewestFirst("i", Shelf(10))
    batch = await poll.fetch((await poll.fetch(None)).cursor)
    assert batch.payloads == ()


async def test_the_way_back_is_found_when_the_newest_known_items_were_deleted() -> None:
    shelf = Shelf(10)
    poll = NewestFirst("i", shelf)
    cursor = (await poll.fetch(None)).cursor
    shelf.add(4)
    shelf.items = [each for each in shelf.items if each not in {10, 9}]
    await poll.fetch(cursor)
    assert shelf.asked == [None, None, "3"]


async def test_what_fills_an_empty_listing_is_read_whole() -> None:
    shelf = Shelf(0)
    poll = NewestFirst("i", shelf)
    cursor = (await poll.fetch(None)).cursor
    shelf.add(8)
    assert (await poll.fetch(cursor)).payloads == [b"[2, 1]", b"[5, 4, 3]", b"[8, 7, 6]"]


async def test_the_way_back_has_an_end() -> None:
    shelf = Shelf(10)
    poll = NewestFirst("i", shelf, max_pages=2)
    cursor = (await poll.fetch(None)).cursor
    shelf.add(100)
    batch = await poll.fetch(cursor)
    assert (len(batch.payloads), batch.missed) == (2, Missed.LISTING_TOO_LONG)


class Saying:
    def __init__(self, word: bytes, *, fails: bool = False) -> None:
        self._word = word
        self._fails = fails

    async def fetch(self, cursor: bytes | None) -> Batch:
        if self._fails:
            raise FetchFailed(Reason.CLOSED, "gone")
        return Batch([self._word], (cursor or b"") + self._word)


async def test_each_poll_of_a_round_goes_on_from_its_own_position() -> None:
    polls, cursor, heard = InTurn({"a": Saying(b"a"), "b": Saying(b"b")}), None, []
    for _ in range(4):
        batch = await polls.fetch(cursor)
        heard.append((batch.payloads, batch.more))
        cursor = batch.cursor
    assert heard == [([b"a"], True), ([b"b"], False)] * 2


async def test_a_poll_that_fails_does_not_keep_the_others_from_their_turn() -> None:
    polls = InTurn({"a": Saying(b"a", fails=True), "b": Saying(b"b")})
    with pytest.raises(FetchFailed):
        await polls.fetch(None)
    assert (await polls.fetch(None)).payloads == [b"b"]


@pytest.mark.parametrize(
    ("status", "pause", "reason"),
    [
        (401, None, Reason.AUTH_FAILED),
        (403, None, Reason.AUTH_FAILED),
        (403, 60.0, Reason.RATE_LIMITED),
        (404, None, Reason.CLOSED),
        (410, None, Reason.CLOSED),
        (429, None, Reason.RATE_LIMITED),
        (500, None, Reason.UNREACHABLE),
        (302, None, Reason.UNREACHABLE),
    ],
)
def test_a_status_says_why_nothing_came(status: int, pause: float | None, reason: Reason) -> None:
    with pytest.raises(FetchFailed) as failed:
        check(status, pause)
    assert (failed.value.reason, failed.value.retry_after_seconds) == (reason, pause)


@pytest.mark.parametrize("status", [200, 204, 304])
def test_an_answer_is_an_answer(status: int) -> None:
    check(status, None)
