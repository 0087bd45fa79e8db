"""The report of a run fits a narrow terminal, and what it names can be copied into the next command."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid4

import pytest
from rich.cells import cell_len

from cli.console import out, print_rows
from cli.reclassification_report import SIDES, print_promoted, print_report, print_runs
from services.routing.reclassification.comparison import Agreement, Cell, Comparison
from services.routing.store.runs import Run, State

NARROW: Final = 80
LONGEST_NETWORK: Final = "google_business_profile"
POST: Final = str(uuid4())
COUNT: Final = 1_234_567
NOW: Final = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
RUN: Final = Run(
    id=UUID("3f2a9c01-7d1c-4c7e-9a53-0f6f1c3f9b11"),
    tenant="acme",
    model="models/cascade@3+b273af805a59",
    since=NOW,
    state=State.PROMOTING,
    cursor="",
    judged=COUNT,
    labelled=COUNT,
    differing=COUNT,
    promoted=COUNT,
    left_revised=COUNT,
    left_labelled=COUNT,
    left_equal=COUNT,
    stands_by_language_model=COUNT,
    started_at=NOW,
    done_at=None,
    ended_at=None,
    mixes="",
)
FOUND: Final = Comparison(
    [
        Cell("en", LONGEST_NETWORK, stands, candidate, COUNT // 25, 40_000, examples=(f"tenants/acme/posts/{POST}",))
        for stands in SIDES
        for candidate in SIDES
    ],
    [Agreement("en", LONGEST_NETWORK, COUNT, 700_000, 1_000_000)],
)
TEXTS: Final = {f"tenants/acme/posts/{POST}": "Where is \x1b[2J\n" + "my parcel? " * 50}


@pytest.fixture(autouse=True)
def _narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(out, "_width", NARROW)


def printed(act: Callable[[], None]) -> list[str]:
    with out.capture() as captured:
        act()
    return captured.get().splitlines()


REPORTS: Final[list[Callable[[], None]]] = [
    lambda: print_report(RUN, FOUND, None),
    lambda: print_report(RUN, FOUND, TEXTS),
    lambda: print_runs([RUN, RUN], "acme", as_json=False),
    lambda: print_runs([], "acme", as_json=False),
    lambda: print_promoted(RUN._replace(state=State.PROMOTED)),
]


@pytest.mark.parametrize("report", REPORTS)
def test_a_report_fits_and_cannot_steer_the_terminal(report: Callable[[], None]) -> None:
    lines = printed(report)
    assert lines
    assert max(map(cell_len, lines)) <= NARROW
    assert not [line for line in lines if not line.isprintable()]


def test_posts_and_runs_are_named_as_the_next_command_takes_them() -> None:
    report = printed(lambda: print_report(RUN, FOUND, TEXTS))
    assert sum(POST in line.split() for line in report) == len(SIDES) ** 2
    assert "--promote 3f2a9c01 " in " ".join(report)
    assert printed(lambda: print_runs([RUN], "acme", as_json=False))[0].split()[0] == "3f2a9c01"


def test_no_figure_is_cut() -> None:
    report = printed(lambda: print_report(RUN, FOUND, None))
    [row] = [line.split() for line in report if line.split()[:1] == ["all"] and len(line.split()) == 5]
    total = f"{25 * (COUNT // 25):,}"
    assert row == ["all", total, f"{25 * 40_000:,}", f"{5 * (COUNT // 25):,}", f"{5 * (COUNT // 25):,}"]
    assert ["all", f"{COUNT:,}", "56.7%", "81.0%"] in [line.split() for line in report]
    assert not [line for line in report if "…" in line]


def test_a_table_that_does_not_fit_is_wider_than_the_terminal() -> None:
    row = {"one": "q" * 60, "two": "y" * 60, "text": "z" * 60}
    [line] = [line for line in printed(lambda: print_rows([row], tuple(row), as_json=False)) if "q" in line]
    assert (line.count("q"), line.count("y"), line.count("z") > 10) == (60, 60, True)
