"""Posts a second on one core: the linear stage alone, the cascade at its thresholds, and both stages for every post."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table

from bench.classifier.__main__ import Classified
from bench.classifier.stages import Stages
from bench.comparison import turns
from bench.programs import running
from bench.result import Run

POSTS: Final = 20_000
MEBIBYTE: Final = 2**20
TITLES: Final = {
    Stages.LINEAR: "the linear stage alone",
    Stages.CASCADE: "the cascade",
    Stages.BOTH: "both stages for every post",
}
LEAST_RATE: Final = {Stages.LINEAR: 10_000, Stages.CASCADE: 3_000}
MOST_MEBIBYTES: Final = 350


def run(run: Run) -> "Speeds":
    """Every contestant in a process of its own, in turns, all on the same core (Linux)."""
    found: dict[Stages, list[Classified]] = {stages: [] for stages in TITLES}
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    try:
        for name in turns(list(TITLES), run.rounds):
            stages = Stages(name)
            run.tell(f"round {len(found[stages]) + 1} of {run.rounds}: {TITLES[stages]}")
            arguments = [stages, str(round(POSTS * run.scale))]
            with running("bench.classifier", arguments, run.folder / f"{stages}.log") as program:
                found[stages].append(Classified.from_json(program.answer()))
    finally:
        os.sched_setaffinity(0, allowed)
    return Speeds(found)


@dataclass(frozen=True)
class Speeds:
    """The rounds of each contestant."""

    rounds: Mapping[Stages, Sequence[Classified]]

    def rate(self, stages: Stages) -> float:
        """Median posts a second."""
        return median(each.measurement.rate for each in self.rounds[stages])

    def mebibytes(self) -> float:
        """The most that any of them held."""
        return max(each.resident_bytes for rounds in self.rounds.values() for each in rounds) / MEBIBYTE

    def tables(self) -> RenderableType:
        """Rates, and whether they are what was wanted."""
        table = Table(title="The classifier on one core", title_justify="left")
        table.add_column("contestant")
        for heading in ("posts/s", "lowest..highest", "CPU us each", "share encoded", "MiB"):
            table.add_column(heading, justify="right")
        for stages, rounds in self.rounds.items():
            rates = [each.measurement.rate for each in rounds]
            table.add_row(
                TITLES[stages],
                f"{self.rate(stages):,.0f}",
                f"{min(rates):,.0f}..{max(rates):,.0f}",
                f"{median(each.measurement.cpu_us for each in rounds):,.1f}",
                f"{rounds[0].encoded:.0%}",
                f"{max(each.resident_bytes for each in rounds) / MEBIBYTE:,.0f}",
            )
        return Group(table, *self._verdicts())

    def figures(self) -> Mapping[str, Any]:
        """Every round."""
        return {stages: [asdict(each) for each in rounds] for stages, rounds in self.rounds.items()}

    def _verdicts(self) -> Sequence[str]:
        speeds = [
            f"target: {TITLES[stages]} at least {least:,} posts/s: {self.rate(stages):,.0f}, "
            f"{_met(self.rate(stages) >= least)}"
            for stages, least in LEAST_RATE.items()
        ]
        held = self.mebibytes()
        return [*speeds, f"target: at most {MOST_MEBIBYTES} MiB: {held:,.0f}, {_met(held <= MOST_MEBIBYTES)}"]


def _met(reached: bool) -> str:  # noqa: FBT001 - said of one thing
    return "[green]met[/]" if reached else "[red]missed[/]"
