"""What a suite is told and what it answers, and how a comparison is shown."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from rich.console import Group, RenderableType
from rich.table import Table

from bench.comparison import Comparison, Spread, Target


@dataclass(frozen=True)
class Run:
    """How a suite is to run."""

    folder: Path
    """Its own, for servers and logs; gone afterwards."""
    rounds: int
    scale: float
    """Multiplies how much there is to do."""
    tell: Callable[[str], None]
    """Says what is going on."""


class Result(Protocol):
    """The outcome of a suite."""

    def tables(self) -> RenderableType:
        """For people."""

    def figures(self) -> Mapping[str, Any]:
        """Every figure, for programs."""


@dataclass(frozen=True)
class Compared:
    """The outcome of a suite that compares contestants."""

    title: str
    unit: str
    comparison: Comparison
    titles: Mapping[str, str]
    """What to call each contestant, in the order of the table."""
    targets: Sequence[Target]

    def tables(self) -> RenderableType:
        """Who did how much at what price, and whether that is what was wanted."""
        return Group(self._contestants(), *map(self._verdict, self.targets))

    def figures(self) -> Mapping[str, Any]:
        """The rounds of every contestant, and the targets."""
        met = [asdict(target) | {"met": self.comparison.meets(target)} for target in self.targets]
        rounds = {name: [asdict(each) for each in found] for name, found in self.comparison.rounds.items()}
        return {"subject": self.comparison.subject, "rounds": rounds, "targets": met}

    def _contestants(self) -> Table:
        table = Table(title=self.title, title_justify="left")
        table.add_column("contestant")
        for heading in (f"{self.unit}/s", "CPU us each", "rate: ours over it", "CPU: ours over it"):
            table.add_column(heading, justify="right")
        for name, title in self.titles.items():
            rate, cpu = f"{self.comparison.rate(name):,.0f}", f"{self.comparison.cpu_us(name):,.1f}"
            if name == self.comparison.subject:
                table.add_row(title, rate, cpu, "", "", style="bold")
            else:
                ratios = self.comparison.rate_ratio(name), self.comparison.cpu_ratio(name)
                table.add_row(title, rate, cpu, *map(shown, ratios))
        return table

    def _verdict(self, target: Target) -> str:
        found = self.comparison.rate_ratio(target.rival).median
        verdict = "[green]met[/]" if self.comparison.meets(target) else "[red]missed[/]"
        wanted = f"at least {target.at_least:g} x {self.titles[target.rival]}"
        return f"target: {wanted}: {found:.2f} x, {verdict}"


def shown(ratio: Spread) -> str:
    """The median, and from where to where the rounds went."""
    return f"{ratio.median:.2f} ({ratio.low:.2f}..{ratio.high:.2f})"
