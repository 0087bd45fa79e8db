"""What a run found, printed: counts, confusion, examples, agreement with people, and what a promotion changes."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any, Final

from cli.console import out, print_json, print_rows
from services.routing.judgement import Category
from services.routing.reclassification.candidates import ABSTAINED
from services.routing.reclassification.comparison import Cell, Comparison, Group
from services.routing.store.runs import Run, State

SIDES: Final = (*(each.value for each in Category), ABSTAINED)
RUN_COLUMNS: Final = ("run", "state", "model", "since", "judged", "labelled", "differing", "promoted", "started")
_GROUP_COLUMNS: Final = (
    *("language", "network", "posts", "equal", "differing", "stands abstains", "candidate abstains"),
    *("labels", "stands right", "candidate right"),
)
_EXAMPLE_COLUMNS: Final = ("language", "network", "stands", "candidate", "post")


def print_runs(found: list[Run], *, as_json: bool) -> None:
    """The runs of a tenant."""
    rows = [shown(run) if as_json else _told(run) for run in found]
    print_rows(rows, RUN_COLUMNS, as_json=as_json)


def shown(run: Run) -> dict[str, Any]:
    """A run for programs."""
    return {name: value for name, value in run._asdict().items() if name != "cursor"}


def _told(run: Run) -> dict[str, Any]:
    since = run.since.isoformat() if run.since else None
    counts = {name: f"{getattr(run, name):,}" for name in ("judged", "labelled", "differing", "promoted")}
    started = run.started_at.isoformat(timespec="seconds")
    return {"run": run.id, "state": run.state, "model": run.model, "since": since, "started": started, **counts}


def print_json_report(run: Run, found: Comparison, texts: Mapping[str, str] | None) -> None:
    """One line for the run, each cell, each language and network, and the whole; `texts` by the names of posts."""
    print_json({"run": shown(run)})
    for cell in found.cells:
        row = asdict(cell)
        if texts is not None:
            row["texts"] = {name: texts.get(name) for name in cell.examples}
        print_json({"cell": row})
    for (language, network), group in found.groups().items():
        print_json({"group": {"language": language, "network": network, **_measures(group)}})
    print_json({"total": {**_measures(found.total()), "changes": found.changes()}})


def _measures(group: Group) -> dict[str, Any]:
    accuracies = {"stands_accuracy": group.stands_accuracy, "candidate_accuracy": group.candidate_accuracy}
    return {**asdict(group), "differing": group.differing, **accuracies}


def print_report(run: Run, found: Comparison, texts: Mapping[str, str] | None) -> None:
    """The same for people."""
    groups = [_group_row(*place, group) for place, group in found.groups().items()]
    print_rows([*groups, _group_row("all", "", found.total())], _GROUP_COLUMNS, as_json=False)
    columns = ("language", "network", "stands", *SIDES)
    print_rows(_matrix(found), columns, as_json=False, title="What stands (rows) and what the candidate says (columns)")
    rows = [_example(cell, name, texts) for cell in found.cells for name in cell.examples]
    if rows:
        columns = (*_EXAMPLE_COLUMNS, "text") if texts is not None else _EXAMPLE_COLUMNS
        print_rows(rows, columns, as_json=False, title="Examples of what differs")
    for line in _outlook(run, found):
        out.print(line, markup=False)


def _group_row(language: str, network: str, group: Group) -> dict[str, Any]:
    row = {
        "language": language,
        "network": network,
        "posts": f"{group.posts:,}",
        "equal": f"{group.equal:,}",
        "differing": f"{group.differing:,}",
        "stands abstains": f"{group.stands_abstains:,}",
        "candidate abstains": f"{group.candidate_abstains:,}",
    }
    if group.stands_accuracy is not None and group.candidate_accuracy is not None:
        row |= {
            "labels": f"{group.labels:,}",
            "stands right": f"{group.stands_accuracy:.1%}",
            "candidate right": f"{group.candidate_accuracy:.1%}",
        }
    return row


def _matrix(found: Comparison) -> Iterator[dict[str, Any]]:
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}
    for cell in found.cells:
        place = cell.language, cell.network, cell.stands
        row = rows.setdefault(place, dict(zip(("language", "network", "stands"), place, strict=True)))
        row[cell.candidate] = f"{cell.posts:,}"
    yield from (rows[place] for place in sorted(rows, key=lambda each: (*each[:2], SIDES.index(each[2]))))


def _example(cell: Cell, name: str, texts: Mapping[str, str] | None) -> dict[str, Any]:
    text = (texts or {}).get(name, "(gone, or edited since)")
    row = {"language": cell.language, "network": cell.network, "stands": cell.stands, "candidate": cell.candidate}
    return {**row, "post": name, "text": "".join(each if each.isprintable() else " " for each in text)}


def _outlook(run: Run, found: Comparison) -> Iterator[str]:
    total, changes = found.total(), found.changes()
    yield f"Run {run.id}: {run.model} judged {run.judged:,} posts."
    if total.stands_accuracy is not None and total.candidate_accuracy is not None:
        yield (
            f"Of {total.labels:,} posts that people labelled, what stands had thought the same of "
            f"{total.stands_accuracy:.1%}, the candidate of {total.candidate_accuracy:.1%}. They are no random sample, "
            "and nothing changes them."
        )
    yield (
        f"--promote {run.id} would change {total.differing:,} posts: {changes['to_another_category']:,} to another "
        f"category, {changes['into_triage']:,} into triage, {changes['out_of_triage']:,} out of triage, "
        f"{changes['finer_only']:,} only in their kind or in the guess about what waits in triage; "
        f"{total.equal:,} are equal. --discard {run.id} drops what was found."
    )


def print_promoted(run: Run) -> None:
    """What a promotion did."""
    out.print(
        f"Run {run.id} is {run.state}: {run.promoted:,} posts are what {run.model} says. Left alone: "
        f"{run.left_revised:,} that are other posts by now or gone, {run.left_labelled:,} that people have labelled "
        f"meanwhile, {run.left_equal:,} that are equal by now."
        if run.state is State.PROMOTED
        else f"Run {run.id} is {run.state}.",
        markup=False,
    )
