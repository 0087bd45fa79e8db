"""The tail in memory: what it gives, what it lets go, and that it forgets what was taken back."""

from services.feedback.filters import Filter
from services.feedback.projection import fold
from services.feedback.store.log import Entry
from services.feedback.tail import Tail
from tests.unit.feedback.histories import heard


def entries(count: int, *, first: int = 1, tenant: str = "acme", network: str = "x") -> list[Entry]:
    """Of posts of their own, numbered in steps of two, for a real log has gaps."""
    learnt = fold({}, [heard(f"p{n}", tenant=tenant, network=network) for n in range(first, first + count)]).insights
    return [Entry(2 * (first + n), insight, b"text") for n, insight in enumerate(learnt)]


def tail(*batches: list[Entry], max_rows: int = 100, max_bytes: int = 10_000) -> Tail:
    made = Tail(max_rows=max_rows, max_bytes=max_bytes)
    for batch in batches:
        made.extend(batch, batch[-1].seq)
    return made


def read(of: Tail, after: int, narrowed: Filter = Filter(), *, limit: int = 100) -> tuple[list[int], int]:  # noqa: B008
    found, upto = of.read(after, "acme", narrowed, limit=limit, max_bytes=1_000)
    return [entry.seq for entry in found], upto


def test_it_gives_what_lies_behind_a_position() -> None:
    assert read(tail(entries(4)), 4) == ([6, 8], 8)


def test_a_full_page_ends_with_its_last_insight() -> None:
    assert read(tail(entries(4)), 0, limit=2) == ([2, 4], 4)


def test_a_page_ends_where_it_weighs_enough() -> None:
    heavy = entries(3)
    heavy[0].evidence = b"x" * 2_000
    assert read(tail(heavy), 0) == ([2], 2)


def test_what_does_not_pass_moves_the_position_all_the_same() -> None:
    assert read(tail(entries(3)), 0, Filter(networks=("telegram",))) == ([], 6)


def test_other_tenants_are_passed_over() -> None:
    assert read(tail(entries(2, tenant="globex"), entries(1, first=3)), 0) == ([6], 6)


def test_it_lets_the_oldest_go_and_says_how_far_back_it_reaches() -> None:
    full = tail(entries(10), max_rows=8)
    seqs, _ = read(full, full.floor)
    assert (full.floor > 0, seqs, len(seqs) <= 8) == (True, list(range(full.floor + 2, 21, 2)), True)


def test_its_weight_is_bounded() -> None:
    bounded = tail(entries(10), max_bytes=300)
    assert sum(entry.size_bytes for entry in bounded.read(0, "acme", Filter(), limit=100, max_bytes=9_999)[0]) <= 300


def test_a_newer_insight_of_a_post_takes_the_text_from_the_older() -> None:
    older, newer = entries(1), entries(1)
    newer[0].seq, newer[0].evidence = 4, None
    held = tail(older, newer)
    found, _ = held.read(0, "acme", Filter(), limit=10, max_bytes=1_000)
    assert [entry.evidence for entry in found] == [None, None]


def test_a_restart_holds_nothing() -> None:
    again = tail(entries(3))
    again.restart(40)
    assert (again.floor, read(again, 40)) == (40, ([], 40))
