"""The rules as they are now: a good file is applied while posts are asked about, a bad one changes nothing."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from time import monotonic

import pytest

from ascolto.posts.v1 import post_pb2 as posts
from services.routing.rules.book import RuleBook
from services.routing.rules.problems import RulesError
from tests.factories import make_post
from tests.unit.routing.rules.rulings import HEARD_AT, complaint, file_of, rule_of

DEADLINE_SECONDS = 10.0


def _write(folder: Path, tenant: str, text: str) -> None:
    """As a deployment does it: the file is whole or not there."""
    beside = folder / f".{tenant}"
    beside.write_text(text)
    beside.replace(folder / f"{tenant}.yaml")


def _of_queue(queue: str) -> str:
    return file_of(default=f"{{queue: {queue}}}")


def _queue(book: RuleBook, tenant: str = "acme") -> str | None:
    handling = book.handle(complaint(), make_post(tenant=tenant), HEARD_AT)
    return handling.queue if handling else None


async def _until(holds: Callable[[], bool]) -> None:
    give_up_at = monotonic() + DEADLINE_SECONDS
    while not holds():
        assert monotonic() < give_up_at
        await asyncio.sleep(0.01)


@asynccontextmanager
async def _running(book: RuleBook) -> AsyncIterator[None]:
    task = asyncio.create_task(book.run(0.01))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def test_each_tenant_has_rules_of_its_own(tmp_path: Path) -> None:
    _write(tmp_path, "acme", _of_queue("a"))
    _write(tmp_path, "zeta", _of_queue("z"))
    book = RuleBook.open(tmp_path)
    assert [_queue(book, tenant) for tenant in ("acme", "zeta", "other")] == ["a", "z", None]


def test_without_a_folder_nobody_has_rules() -> None:
    assert _queue(RuleBook.open(None)) is None


@pytest.mark.parametrize("post", [make_post(own=True), make_post(state=posts.STATE_DELETED)], ids=["own", "deleted"])
def test_nothing_is_to_be_done_about_own_posts_and_deletions(tmp_path: Path, post: posts.Post) -> None:
    _write(tmp_path, "acme", _of_queue("a"))
    assert RuleBook.open(tmp_path).handle(complaint(), post, HEARD_AT) is None


def test_the_first_reading_refuses_every_bad_file_at_once(tmp_path: Path) -> None:
    _write(tmp_path, "acme", "calendar: always")
    _write(tmp_path, "zeta", "rules")
    _write(tmp_path, "Bad Name", _of_queue("a"))
    (tmp_path / "beta.yml").write_text(_of_queue("a"))
    with pytest.raises(RulesError) as refused:
        RuleBook.open(tmp_path)
    named = {Path(problem.file).name for problem in refused.value.problems}
    assert named == {"acme.yaml", "zeta.yaml", "Bad Name.yaml", "beta.yml"}


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RulesError, match="nowhere: cannot be read: No such file"):
        RuleBook.open(tmp_path / "nowhere")


async def test_a_changed_file_counts_without_a_restart(tmp_path: Path) -> None:
    _write(tmp_path, "acme", _of_queue("before"))
    book = RuleBook.open(tmp_path)
    async with _running(book):
        _write(tmp_path, "acme", _of_queue("after"))
        await _until(lambda: _queue(book) == "after")
        _write(tmp_path, "zeta", _of_queue("new"))
        await _until(lambda: _queue(book, "zeta") == "new")
        (tmp_path / "zeta.yaml").unlink()
        await _until(lambda: _queue(book, "zeta") is None)
    assert book.trouble() is None


async def test_a_bad_file_leaves_the_old_rules_in_force_and_degrades_the_process(tmp_path: Path) -> None:
    _write(tmp_path, "acme", _of_queue("before"))
    book = RuleBook.open(tmp_path)
    async with _running(book):
        _write(tmp_path, "acme", "calendar: always\ndefault: {queue: after, prio: high}\n")
        _write(tmp_path, "zeta", _of_queue("other"))
        await _until(lambda: _queue(book, "zeta") == "other")
        assert _queue(book) == "before"
        assert "acme.yaml:2:25: default.prio: is no field" in str(book.trouble())
        _write(tmp_path, "acme", _of_queue("after"))
        await _until(lambda: _queue(book) == "after")
        assert book.trouble() is None


async def test_a_folder_that_goes_leaves_the_rules_in_force(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    folder.mkdir()
    _write(folder, "acme", _of_queue("a"))
    book = RuleBook.open(folder)
    async with _running(book):
        folder.rename(tmp_path / "away")
        await _until(lambda: book.trouble() is not None)
        assert _queue(book) == "a"
        (tmp_path / "away").rename(folder)
        await _until(lambda: book.trouble() is None)
    assert _queue(book) == "a"


async def test_posts_are_asked_about_while_rules_change(tmp_path: Path) -> None:
    _write(tmp_path, "acme", _of_queue("q0"))
    book = RuleBook.open(tmp_path)

    def ask() -> set[str | None]:
        return {_queue(book) for _ in range(2000)}

    async with _running(book):
        asking = asyncio.create_task(asyncio.to_thread(ask))
        for number in range(20):
            _write(tmp_path, "acme", _of_queue(f"q{number}"))
            await asyncio.sleep(0.01)
        assert await asking <= {f"q{number}" for number in range(20)}


@pytest.mark.parametrize(
    ("condition", "reason"),
    [("post.followers > 3", "the post has no followers"), ("int(post.text) > 3", "INVALID_ARGUMENT")],
)
def test_a_condition_that_cannot_be_told_is_logged_once_and_without_words_of_people(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], condition: str, reason: str
) -> None:
    _write(tmp_path, "acme", file_of(rule_of(condition, "queue: b", "many")))
    book = RuleBook.open(tmp_path)
    for text in ("Hello", "World"):
        assert book.handle(complaint(), make_post(text=text), HEARD_AT) is not None
    logged = capsys.readouterr().out
    assert logged.count("rule_not_told") == 1
    assert reason in logged
    assert "Hello" not in logged


def test_a_file_of_a_wrong_name_takes_nothing_from_the_right_one(tmp_path: Path) -> None:
    _write(tmp_path, "acme", _of_queue("before"))
    book = RuleBook.open(tmp_path)
    _write(tmp_path, "acme", _of_queue("after"))
    (tmp_path / "acme.yml").write_text(_of_queue("never"))
    book.refresh()
    assert _queue(book) == "after"
