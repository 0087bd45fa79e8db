"""What is wrong with a file of rules: each thing at its place, with what to do, and all of them at once."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing to mend; lines and columns count from 1, and 0 stands for one that is not known."""

    file: str
    line: int
    column: int
    field: str
    """Where in the file, as in "rules[2].set.queue"; empty for the file as a whole."""
    message: str
    """What is wrong and what to do."""

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        return f"{place}: {self.field}: {self.message}" if self.field else f"{place}: {self.message}"

    def as_dict(self) -> dict[str, Any]:
        """The same for programs."""
        return asdict(self)


class RulesError(Exception):
    """Files of rules cannot be used; one line for each problem."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(each) for each in problems))
        self.problems = tuple(problems)
