"""`ascolto reclassify`: another model over history, compared with what stands, then promoted or discarded."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Final, TypeVar

import typer

from chassis.clock import utc_now
from chassis.postgres import Session
from chassis.settings import load
from cli import weights
from cli.console import JSON_OPTION, err, print_json
from cli.errors import CommandError
from cli.reclassification_report import print_json_report, print_promoted, print_report, print_runs, shown
from cli.routing_store import routing_store
from cli.settings import load_addresses
from cli.tenants import without_posts
from services.routing.judgement import Mix
from services.routing.mix import Stream, digest
from services.routing.reclassification import promoting
from services.routing.reclassification.comparison import Comparison
from services.routing.reclassification.promoting import Rules
from services.routing.reclassification.refusals import ReclassificationRefused, Refusal
from services.routing.reclassification.running import begin_or_resume, go_through
from services.routing.rules.book import RuleBook
from services.routing.rules.problems import RulesError
from services.routing.settings import RoutingSettings
from services.routing.store import comparing, runs
from services.routing.store.runs import Run, Wanted

STATEMENT_SECONDS: Final = 600
T = TypeVar("T")
Work = Callable[[Session], Awaitable[T]]
_MOMENT: Final = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"]
RUN_HELP: Final = "A run's id, or how it begins."


def reclassify(  # noqa: PLR0913 - what can be said of a run
    *,
    model: Annotated[str, typer.Option(help="The candidate: a file of weights, or `shipped`.")] = "",
    since: Annotated[datetime | None, typer.Option(formats=_MOMENT, help="Posts heard from then on, in UTC.")] = None,
    promote: Annotated[str, typer.Option(metavar="RUN", help=f"Let stand what the run found. {RUN_HELP}")] = "",
    discard: Annotated[str, typer.Option(metavar="RUN", help=f"Drop what the run found. {RUN_HELP}")] = "",
    list_runs: Annotated[bool, typer.Option("--list", help="List the runs.")] = False,
    tenant: Annotated[str, typer.Option(help="Whose posts; left out, ASCOLTO_TENANT.")] = "",
    examples: Annotated[int, typer.Option(min=0, max=1000, help="Posts named for each kind of difference.")] = 3,
    texts: Annotated[bool, typer.Option("--texts", help="Show what the examples say.")] = False,
    without_rules: Annotated[
        bool, typer.Option("--without-rules", help="The tenant has no rules any more: promoted posts lose their queue.")
    ] = False,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Run another model over history and compare it with what stands; nothing changes before --promote.

    Interrupted, the same command goes on where it was; when it is done, it prints the report again. Human labels never
    change.
    """
    if sum(map(bool, (model, promote, discard, list_runs))) != 1:
        raise CommandError("Say one of --model FILE (or --model shipped), --promote RUN, --discard RUN, --list.")
    if since and not model:
        raise CommandError("--since belongs to --model: a run knows what it went through.")
    if without_rules and not promote:
        raise CommandError("--without-rules belongs to --promote: it says what becomes of posts that rules handled.")
    whose = tenant or load_addresses().tenant
    if list_runs:
        print_runs(_with_store(lambda session: runs.runs_of(session, whose)), whose, as_json=as_json)
    elif model:
        _judge(whose, model, since.replace(tzinfo=UTC) if since else None, examples, texts=texts, as_json=as_json)
    else:
        act = _promoting(whose, promote, without_rules=without_rules) if promote else _discarding(whose, discard)
        run = _with_store(_alone(whose, act))
        print_json({"run": shown(run)}) if as_json else print_promoted(run)


def _judge(  # noqa: PLR0913 - what can be said of a run
    tenant: str, model: str, since: datetime | None, examples: int, *, texts: bool, as_json: bool
) -> None:
    classifier, mixes = weights.load_classifier(model), _mixes(load(RoutingSettings), tenant)
    wanted = Wanted(classifier.model, since, digest(mixes or {}))
    mix_of = None if mixes is None else lambda _, stream: mixes.get(stream)

    async def judged(session: Session) -> tuple[Run, Comparison, dict[str, str] | None]:
        if missing := await without_posts(session, tenant):
            raise CommandError(missing)
        run = await begin_or_resume(session, tenant, wanted)
        with err.status(_judging(run)) as status:
            run = await go_through(session, run, classifier, lambda now: status.update(_judging(now)), mix_of)
        found = await comparing.comparison(session, run.id, examples)
        names = [name for cell in found.cells for name in cell.examples]
        return run, found, await comparing.texts(session, run.id, names) if texts else None

    (print_json_report if as_json else print_report)(*_with_store(_alone(tenant, judged)))


def _judging(run: Run) -> str:
    return f"Run {run.id}: {run.judged:,} posts judged"


def _promoting(tenant: str, beginning: str, *, without_rules: bool) -> Work[Run]:
    settings = load(RoutingSettings)
    book = _book(settings, tenant)
    rules = Rules(book.handle, known=without_rules or _knows(book, tenant))

    async def promoted(session: Session) -> Run:
        run = await promoting.find(session, tenant, beginning)
        with err.status(f"Run {run.id} is being promoted") as status:
            return await promoting.promote(
                session, run, rules, utc_now, lambda now: status.update(f"Run {run.id}: {now.promoted:,} promoted")
            )

    return promoted


def _book(settings: RoutingSettings, tenant: str) -> RuleBook:
    """The rules as their files say now; raises CommandError where those of the tenant cannot be used."""
    try:
        book = RuleBook.open(settings.rules_dir)
    except RulesError as error:
        raise CommandError(str(error)) from error
    if problems := book.problems_of(tenant):
        raise CommandError(str(problems))
    return book


def _knows(book: RuleBook, tenant: str) -> bool:
    """Whether the tenant's rules are among those at hand."""
    return book.counting().get(tenant) is not None


def _mixes(settings: RoutingSettings, tenant: str) -> Mapping[Stream, Mix] | None:
    """What the tenant's rules say of streams; None where they are not at hand."""
    book = _book(settings, tenant)
    return book.mixes_of(tenant) if _knows(book, tenant) else None


def _discarding(tenant: str, beginning: str) -> Work[Run]:
    async def discarded(session: Session) -> Run:
        return await promoting.discard(session, await promoting.find(session, tenant, beginning))

    return discarded


def _alone(tenant: str, work: Work[T]) -> Work[T]:
    """The work, as long as no other process is at the tenant's runs."""

    async def alone(session: Session) -> T:
        if not await runs.claim(session, tenant):
            raise ReclassificationRefused(
                Refusal.RUN_BUSY, f"Another process is at a run of {tenant}: wait for it, or stop it."
            )
        return await work(session)

    return alone


def _with_store(work: Work[T]) -> T:
    async def connected() -> T:
        store = routing_store(load_addresses(), "ascolto-reclassify", statement_seconds=STATEMENT_SECONDS)
        async with store as session:
            return await work(session)

    try:
        return asyncio.run(connected())
    except ReclassificationRefused as refused:
        raise CommandError(str(refused)) from refused
