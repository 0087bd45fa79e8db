"""What a run found, printed: counts, confusion, examples, agreement with people, and what a promotion changes."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

from cli.console import out, print_json, print_rows, printable
from services.routing.judgement import Category
from services.routing.reclassification.candidates import ABSTAINED
from services.routing.reclassification.comparison import Cell, Comparison, Group
from services.routing.store.runs import Run, State

SIDES: Final = (*(each.value for each in Category), ABSTAINED)
RUN_SHOWN: Final = 8
"""Characters that tell runs apart, and that `--promote` and `--discard` take."""
_PLACE: Final = "where"
_GROUP_COLUMNS: Final = (_PLACE, "posts", "differ", "unsure", "unsure new")
_LABEL_COLUMNS: Final = (_PLACE, "labels", "right", "right new")
"""Short, so that a long network's row fits into 80 columns; `new` is the candidate."""


def print_runs(found: list[Run], tenant: str, *, as_json: bool) -> None:
    """The runs of a tenant, some lines each."""
    for run in found:
        if as_json:
            print_json(shown(run))
        else:
            _print_lines(_told(run))
    if not found and not as_json:
        out.print(f"There are no runs of {tenant}.", markup=False)


def shown(run: Run) -> dict[str, Any]:
    """A run for programs."""
    return {name: value for name, value in run._asdict().items() if name != "cursor"}


def _told(run: Run) -> Iterator[str]:
    yield f"{_short(run)}  {run.state:<9}  {run.model}"
    since = f", posts since {_moment(run.since)}" if run.since else ""
    yield f"  started {_moment(run.started_at)}{since}"
    yield "  " + ", ".join(f"{getattr(run, name):,} {name}" for name in ("judged", "labelled", "differing", "promoted"))


def _short(run: Run) -> str:
    return str(run.id)[:RUN_SHOWN]


def _moment(moment: datetime) -> str:
    """As `--since` takes it."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _print_lines(lines: Iterator[str]) -> None:
    for line in lines:
        out.print(line, markup=False, soft_wrap=True)


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
    places = [(" ".join(place), group) for place, group in found.groups().items()]
    groups = [*places, ("all", found.total())]
    print_rows([_group_row(*each) for each in groups], _GROUP_COLUMNS, as_json=False)
    labelled = [_label_row(*each) for each in groups if each[1].labels]
    if labelled:
        print_rows(labelled, _LABEL_COLUMNS, as_json=False, title="What people said, and how often models thought so")
    out.print("What stands in the rows, what the candidate says in the columns:")
    for place in found.groups():
        cells = [cell for cell in found.cells if (cell.language, cell.network) == place]
        print_rows(_matrix(cells), ("stands", *SIDES), as_json=False, title=" ".join(place))
    for cell in found.cells:
        _print_examples(cell, texts)
    for line in _outlook(run, found):
        out.print(line, markup=False)


def _group_row(place: str, group: Group) -> dict[str, Any]:
    counts = (group.posts, group.differing, group.stands_abstains, group.candidate_abstains)
    return dict(zip(_GROUP_COLUMNS, (place, *(f"{count:,}" for count in counts)), strict=True))


def _label_row(place: str, group: Group) -> dict[str, Any]:
    shares = (f"{share:.1%}" for share in (group.stands_accuracy, group.candidate_accuracy) if share is not None)
    return dict(zip(_LABEL_COLUMNS, (place, f"{group.labels:,}", *shares), strict=True))


def _matrix(cells: list[Cell]) -> list[dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    for cell in cells:
        rows.setdefault(cell.stands, {"stands": cell.stands})[cell.candidate] = f"{cell.posts:,}"
    return [rows[side] for side in SIDES if side in rows]


def _print_examples(cell: Cell, texts: Mapping[str, str] | None) -> None:
    """Some posts of a cell, as `ascolto decision` takes them."""
    if cell.examples:
        out.print(f"{cell.language} {cell.network}: {cell.stands} now, {cell.candidate} by the candidate", markup=False)
    for name in cell.examples:
        text = "" if texts is None else printable(texts.get(name, "(gone, or edited since)"))
        line = f"  {name.rpartition('/')[2]}  {text}".rstrip()
        out.print(line, markup=False, no_wrap=True, overflow="ellipsis")


def _outlook(run: Run, found: Comparison) -> Iterator[str]:
    total, changes = found.total(), found.changes()
    yield f"Run {_short(run)}: {run.model} judged {run.judged:,} posts."
    if total.stands_accuracy is not None and total.candidate_accuracy is not None:
        yield (
            f"Of {total.labels:,} posts that people labelled, what stands had thought the same of "
            f"{total.stands_accuracy:.1%}, the candidate of {total.candidate_accuracy:.1%}. They are no random sample, "
            "and nothing changes them."
        )
    yield (
        f"--promote {_short(run)} would change {total.differing:,} posts: {changes['to_another_category']:,} to "
        f"another category, {changes['into_triage']:,} into triage, {changes['out_of_triage']:,} out of triage, "
        f"{changes['finer_only']:,} only in their kind or in the guess about what waits in triage; "
        f"{total.equal:,} are equal. --discard {_short(run)} drops what was found."
    )
    if total.stands_by_language_model:
        yield (
            f"{total.stands_by_language_model:,} posts stay as a language model decided them: the candidate alone is "
            "unsure of them, and the language model is not asked."
        )


def print_promoted(run: Run) -> None:
    """What a promotion did."""
    out.print(
        f"Run {_short(run)} is {run.state}: {run.promoted:,} posts are what {run.model} says. Left alone: "
        f"{run.left_revised:,} that are other posts by now or gone, {run.left_labelled:,} that people have labelled "
        f"meanwhile, {run.left_equal:,} that are equal by now, {run.stands_by_language_model:,} that a language "
        "model decided where the candidate is unsure."
        if run.state is State.PROMOTED
        else f"Run {_short(run)} is {run.state}.",
        markup=False,
    )
