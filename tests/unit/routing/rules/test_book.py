"""The rules as they are now: a good file is applied while posts are asked about, a bad one changes nothing."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from time import monotonic

import pytest
from structlog.testing import capture_logs

from ascolto.posts.v1 import post_pb2 as posts
from chassis.logging import safe_exception
from services.routing.judgement import Mix
from services.routing.mix import Stream
from services.routing.rules import asking, telling
from services.routing.rules.book import RuleBook
from services.routing.rules.loading import load_rules
from services.routing.rules.problems import RulesError
from services.routing.venues import Venue
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


def test_the_first_reading_takes_the_good_files_and_names_every_bad_one(tmp_path: Path) -> None:
    _write(tmp_path, "acme", "calendar: always")
    _write(tmp_path, "zeta", "rules")
    _write(tmp_path, "good", _of_queue("g"))
    _write(tmp_path, "Bad Name", _of_queue("a"))
    (tmp_path / "beta.yml").write_text(_of_queue("a"))
    book = RuleBook.open(tmp_path)
    trouble = str(book.trouble())
    assert trouble.startswith("rules that cannot be used, of tenants that have none from before: ")
    assert all(
        f"/{name}: " in trouble or f"/{name}:1:" in trouble for name in ("Bad Name.yaml", "beta.yml", "zeta.yaml")
    )
    assert book.wanting() == {"acme", "zeta", "Bad Name", "beta"}
    assert (_queue(book), _queue(book, "good")) == (None, "g")
    assert "acme.yaml:1:1: default: must be there" in str(book.problems_of("acme"))
    assert book.problems_of("good") is None


def test_rules_that_counted_before_the_process_count_beside_a_bad_file(tmp_path: Path) -> None:
    _write(tmp_path, "acme", "calendar: always")
    _write(tmp_path, "zeta", "calendar: always")
    _write(tmp_path, "good", _of_queue("g"))
    book = RuleBook.open(tmp_path)
    with capture_logs() as logged:
        book.restore({"acme": _of_queue("kept").encode(), "zeta": b"kept by another version", "good": b""})
    assert [_queue(book, tenant) for tenant in ("acme", "zeta", "good")] == ["kept", None, "g"]
    refused = {each["tenant"]: each["rules_before"] for each in logged if each["event"] == "rules_refused"}
    assert refused == {"acme": True, "zeta": False}
    before, none_before = str(book.trouble()).split(". rules that cannot be used, of tenants that have none")
    assert "the ones before them count on: " in before
    assert "acme.yaml:1:1" in before
    assert "zeta.yaml:1:1" in none_before


def test_what_counts_is_told_with_the_file_that_says_so(tmp_path: Path) -> None:
    for tenant in ("acme", "zeta"):
        _write(tmp_path, tenant, _of_queue("before"))
    book = RuleBook.open(tmp_path)
    _write(tmp_path, "acme", "calendar: always")
    _write(tmp_path, "new", "calendar: always")
    (tmp_path / "zeta.yaml").unlink()
    book.refresh()
    assert book.counting() == {"acme": _of_queue("before").encode(), "new": None}


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

    seen: set[str | None] = set()
    written = threading.Event()

    def ask() -> None:
        while not written.is_set():
            seen.add(_queue(book))

    async with _running(book):
        asking = asyncio.create_task(asyncio.to_thread(ask))
        try:
            for number in range(20):
                _write(tmp_path, "acme", _of_queue(f"q{number}"))
                await asyncio.sleep(0.01)
            await _until(lambda: "q19" in seen)
        finally:
            written.set()
            await asking
    assert len(seen) > 1
    assert seen <= {f"q{number}" for number in range(20)}


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        ("post.followers > 3", "the post has no followers"),
        ("int(post.text) > 3", "INVALID_ARGUMENT"),
        ("{'a': 1}[post.text] > 0", "NOT_FOUND"),
        ("timestamp(post.text) > timestamp('2020-01-01T00:00:00Z')", "INVALID_ARGUMENT"),
    ],
)
def test_a_condition_that_cannot_be_told_is_logged_once_and_without_words_of_people(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], condition: str, reason: str
) -> None:
    _write(tmp_path, "acme", file_of(rule_of(condition, "queue: b", "many")))
    book = RuleBook.open(tmp_path)
    for text in ("MarioRossi", "World"):
        assert book.handle(complaint(), make_post(text=text), HEARD_AT) is not None
    logged = capsys.readouterr().out
    assert logged.count("rule_not_told") == 1
    assert reason in logged
    assert "MarioRossi" not in logged


def _break_down(*_: object) -> None:
    raise ValueError("over MarioRossi")


async def test_a_file_that_lays_bare_a_defect_is_a_bad_file_of_its_tenant_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(tmp_path, "acme", _of_queue("before"))
    book = RuleBook.open(tmp_path)
    monkeypatch.setattr(
        "services.routing.rules.files.load_rules",
        lambda content, file: _break_down() if b"#" in content else load_rules(content, file),
    )
    async with _running(book):
        _write(tmp_path, "acme", "# the defect")
        _write(tmp_path, "zeta", _of_queue("other"))
        await _until(lambda: _queue(book, "zeta") == "other")
        assert _queue(book) == "before"
        assert "acme.yaml: cannot be read: ValueError: this is a defect of Ascolto; report it" in str(book.trouble())


@pytest.mark.parametrize("reason", ["Is a directory", "No such file"])
def test_a_file_that_cannot_be_read_is_a_bad_file_of_its_tenant_alone(tmp_path: Path, reason: str) -> None:
    for tenant in ("acme", "zeta"):
        _write(tmp_path, tenant, _of_queue("before"))
    book = RuleBook.open(tmp_path)
    (tmp_path / "acme.yaml").unlink()
    if reason == "Is a directory":
        (tmp_path / "acme.yaml").mkdir()
    else:
        (tmp_path / "acme.yaml").symlink_to(tmp_path / "nowhere")
    _write(tmp_path, "zeta", _of_queue("after"))
    with capture_logs() as logged:
        book.refresh()
        book.refresh()
    assert (_queue(book), _queue(book, "zeta")) == ("before", "after")
    assert f"acme.yaml: cannot be read: {reason}" in str(book.trouble())
    assert [each["event"] for each in logged] == ["rules_refused", "rules_read"]


def test_a_post_over_which_rules_break_down_is_handled_by_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(tmp_path, "acme", file_of(rule_of("post.text != ''", "queue: b"), default="{queue: a, respond_within: 1h}"))
    book = RuleBook.open(tmp_path)
    monkeypatch.setattr(asking, "_asked_together", _break_down)
    with capture_logs() as logged:
        found = [book.handle(complaint(), make_post(), HEARD_AT) for _ in range(3)]
    assert [(each.queue, each.HasField("respond_by"), list(each.rules)) for each in found if each] == [
        ("a", True, [])
    ] * 3
    [line] = logged
    shown = safe_exception(None, "", line)
    assert (shown["event"], shown["tenant"], shown["error_class"]) == ("rules_failed", "acme", "ValueError")
    assert "MarioRossi" not in str(shown)


def test_rules_that_go_on_breaking_down_are_logged_again_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(tmp_path, "acme", file_of(rule_of("post.text != ''", "queue: b")))
    book = RuleBook.open(tmp_path)
    monkeypatch.setattr(asking, "_asked_together", _break_down)
    now = iter([0.0, telling.FAILED_EVERY_SECONDS - 1, telling.FAILED_EVERY_SECONDS + 1])
    monkeypatch.setattr(telling, "monotonic", lambda: next(now))
    with capture_logs() as logged:
        for _ in range(3):
            book.handle(complaint(), make_post(), HEARD_AT)
    assert len(logged) == 2


def test_a_post_whose_default_breaks_down_too_has_no_handling_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(tmp_path, "acme", _of_queue("a"))
    book = RuleBook.open(tmp_path)
    monkeypatch.setattr(asking.Conditions, "ask", _break_down)
    assert book.handle(complaint(), make_post(), HEARD_AT) is None


def test_a_file_of_a_wrong_name_takes_nothing_from_the_right_one(tmp_path: Path) -> None:
    _write(tmp_path, "acme", _of_queue("before"))
    book = RuleBook.open(tmp_path)
    _write(tmp_path, "acme", _of_queue("after"))
    (tmp_path / "acme.yml").write_text(_of_queue("never"))
    book.refresh()
    assert _queue(book) == "after"


def test_a_stream_has_the_mix_that_its_tenants_file_says_now(tmp_path: Path) -> None:
    even = "question: 0.25, complaint: 0.25, feedback: 0.25, other: 0.25"
    _write(tmp_path, "acme", f"{_of_queue('a')}\nmix: [{{network: x, venue: chat, {even}}}]\n")
    book, chat = RuleBook.open(tmp_path), Stream("x", Venue.CHAT)
    assert book.mix_of(make_post(tenant="acme"), chat) == Mix(0.25, 0.25, 0.25, 0.25)
    assert book.mix_of(make_post(tenant="acme"), Stream("x", Venue.MICROBLOG)) is None
    assert book.mix_of(make_post(tenant="rival"), chat) is None
    _write(tmp_path, "acme", _of_queue("a"))
    book.refresh()
    assert book.mix_of(make_post(tenant="acme"), chat) is None
