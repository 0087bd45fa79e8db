"""`ascolto classifier`: how the classifier does, from what it decided and what people said of it."""

import asyncio
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Final

import typer

from ascolto.posts.v1.post_pb2 import PostReceived
from chassis.clock import utc_now
from cli import mix_lines, weights
from cli.console import JSON_OPTION, err, out, print_json, print_rows
from cli.errors import CommandError
from cli.routing_store import routing_store
from cli.settings import Addresses, load_addresses
from cli.tenants import without_posts
from cli.texts import MOST_POSTS, first_texts
from services.routing.decisions import rule_for, text_of
from services.routing.drift import LEAST_LABELS, Tally
from services.routing.drift_report import Cell, Dimension, Row, first_day, rows
from services.routing.judgement import Category, Text
from services.routing.store.drift import tallies
from services.routing.store.mixes import latest_posts
from services.routing.streams import learn

DEFAULT_DAYS: Final = 7
STATEMENT_SECONDS: Final = 300
EARLIEST: Final = date(2000, 1, 1)
LATEST: Final = date(2100, 1, 1)
_BY_DEFAULT: Final = (Dimension.DAY, Dimension.NETWORK)
_SHARES: Final = f"{'/'.join(each.value[0] for each in Category)} %"
_MEASURES: Final = ("posts", "cover", "conf", _SHARES, "right", "ece")
"""Short, so that a long network's row fits into 100 columns."""
_DAY: Final = ["%Y-%m-%d"]

app = typer.Typer(no_args_is_help=True, help="How the classifier does.")


@app.callback()
def classifier() -> None:
    """How the classifier does."""


@app.command()
def report(
    since: Annotated[datetime | None, typer.Option(formats=_DAY, help="First day, in UTC; 7 days ago.")] = None,
    until: Annotated[datetime | None, typer.Option(formats=_DAY, help="The day after the last; tomorrow.")] = None,
    by: Annotated[list[Dimension] | None, typer.Option(help="May be repeated; day and network if left out.")] = None,
    all_tenants: Annotated[bool, typer.Option("--all-tenants", help="Of all tenants.")] = False,  # noqa: FBT002 - a flag
    as_json: Annotated[bool, JSON_OPTION] = False,  # noqa: FBT002 - a flag
) -> None:
    """Print volume, coverage, confidence, mix, and how right it was where people said so; warn of what moved.

    Moved: coverage by more than 10 points, or the mix of categories by a population stability index over 0.2, with at
    least 200 posts, against the 7 days before each day, or (without --by day) as many days before the range.
    """
    start, end = _range(since.date() if since else None, until.date() if until else None)
    dimensions = tuple(each for each in Dimension if each in (by or _BY_DEFAULT))
    addresses = load_addresses()
    tenant = None if all_tenants else addresses.tenant
    cells, missing = asyncio.run(_read(addresses, first_day(start, end, dimensions), end, tenant))
    if missing:
        err.print(missing, markup=False, soft_wrap=True)
    found = rows(cells, dimensions, start, end)
    if as_json:
        for row in found:
            print_json(_shown(row))
    elif not missing:
        _print(found, dimensions)


@app.command()
def mix(
    file: Annotated[str, typer.Argument(help="As for `ascolto classify`; left out, what routing has heard.")] = "",
    *,
    days: Annotated[int, typer.Option(min=1, max=3650, help="How far back, of what routing has heard.")] = 28,
    model: Annotated[str, typer.Option(help="A file of weights, or `shipped`.")] = weights.SHIPPED,
    plain: Annotated[bool, typer.Option("--plain", help="As for `ascolto classify`.")] = False,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Learn which categories the posts of each network and venue usually are, and print that for a file of rules.

    Nobody has to say what posts are, and nothing changes before it stands in the rules. Of each network up to 5,000
    posts are read, the latest ones; of FILE its first 5,000. A mix needs 200.
    """
    cascade = weights.load_classifier(model)
    texts, bad_lines = first_texts(file, plain=plain) if file else (asyncio.run(_heard(load_addresses(), days)), 0)
    found = learn(cascade, texts)
    for stream, learnt in found.items() if as_json else ():
        print_json(mix_lines.shown(stream, learnt))
    for line in () if as_json or not texts else mix_lines.as_rules(found):
        typer.echo(line)
    if bad_lines:
        raise CommandError(f"{file}: {bad_lines} of its first lines hold no text: `ascolto classify` says why.")
    if not texts:
        raise CommandError(f"{file} is empty: give a file with a text in each line.")


async def _heard(addresses: Addresses, days: int) -> list[Text]:
    """The latest posts of each network of the tenant; raises CommandError where there are none."""
    since = utc_now() - timedelta(days=days)
    async with routing_store(addresses, "ascolto", statement_seconds=STATEMENT_SECONDS, role="") as session:
        if missing := await without_posts(session, addresses.tenant):
            raise CommandError(missing)
        posts = latest_posts(session, addresses.tenant, since, MOST_POSTS)
        texts = [text_of(post) async for post in posts if rule_for(PostReceived(post=post)) is None]
    if not texts:
        raise CommandError(f"{addresses.tenant} has heard no post in {days} days: give more --days.")
    return texts


def _range(since: date | None, until: date | None) -> tuple[date, date]:
    """The first day and the day after the last; raises CommandError where they are none."""
    for name, day in (("--since", since), ("--until", until)):
        if day and not EARLIEST <= day <= LATEST:
            raise CommandError(f"{name} {day}: give a day from {EARLIEST} to {LATEST}.")
    end = until or utc_now().date() + timedelta(days=1)
    start = since or end - timedelta(days=DEFAULT_DAYS)
    if start >= end:
        raise CommandError(
            f"--since {start} is not before --until {end}: give the first day, and the day after the last."
        )
    return start, end


async def _read(
    addresses: Addresses, since: date, until: date, tenant: str | None
) -> tuple[Mapping[Cell, Tally], str | None]:
    """What was judged, and what to say of a tenant of whom there are no posts."""
    store = routing_store(addresses, "ascolto", statement_seconds=STATEMENT_SECONDS, role="")
    async with store as session:
        missing = await without_posts(session, tenant) if tenant else None
        return await tallies(session, since, until, tenant), missing


def _print(found: list[Row], dimensions: tuple[Dimension, ...]) -> None:
    print_rows([_told(row) for row in found], [*dimensions, *_MEASURES], as_json=False)
    if not found:
        out.print("The classifier judged nothing in these days.")
    if any(row.tally.labels for row in found):
        out.print(
            "right (accuracy) and ece (calibration error) are of the posts that people labelled, and those are no "
            "random sample: triage shows them what the model was unsure of, and they mend what looks wrong. "
            f"ece is told from {LEAST_LABELS} labels on."
        )
    if decided := sum(row.tally.by_language_model for row in found):
        out.print(
            f"A language model decided {decided:,} of these posts: conf, right and ece say nothing of them, because "
            "its word has no calibrated probability."
        )
    for row in found:
        for what in row.moved:
            place = " ".join(row.group.values()) or "all"
            sizes = f"{row.tally.posts:,} posts, {row.before.posts:,} before"
            out.print(f"moved: {place}: {what}; {sizes}", style="yellow", markup=False)


def _told(row: Row) -> dict[str, Any]:
    tally = row.tally
    return {
        **row.group,
        "posts": f"{tally.posts:,}",
        "cover": f"{tally.coverage:.0%}",
        "conf": f"{tally.mean_confidence:.2f}",
        _SHARES: "/".join(f"{100 * tally.share(category):.0f}" for category in Category),
        "right": None if tally.accuracy is None else f"{tally.accuracy:.0%} of {tally.labels:,}",
        "ece": None if tally.calibration_error is None else f"{tally.calibration_error:.2f}",
    }


def _shown(row: Row) -> dict[str, Any]:
    tally = row.tally
    return {
        **row.group,
        "posts": tally.posts,
        "coverage": round(tally.coverage, 4),
        "by_language_model": tally.by_language_model,
        "mean_confidence": round(tally.mean_confidence, 4),
        "shares": {category.value: round(tally.share(category), 4) for category in Category},
        "labels": tally.labels,
        "accuracy": tally.accuracy,
        "ece": tally.calibration_error,
        "posts_before": row.before.posts,
        "moved": row.moved,
    }
