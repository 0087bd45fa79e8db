"""Judges the shipped weights on every labelled set, each for itself.

python -m services.routing.model.evaluate --data DIR [--split dev] [--card]
"""

import argparse
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from services.routing.calibration import expected_calibration_error
from services.routing.classifier import Judgement, LinearClassifier
from services.routing.model.datasets import EVALUATE_SETS, SHIP_SETS, Row, read_set


@dataclass(frozen=True, slots=True)
class Figures:
    """What the classifier does on some labelled rows."""

    rows: int
    accuracy: float
    """Of the likeliest category, abstained or not."""
    coverage: float
    """Share of rows that are assigned."""
    assigned_accuracy: float
    top_error: float
    """Share of wrong ones among the 80 % most confident."""
    calibration_error: float

    def line(self) -> str:
        """One row of a Markdown table."""
        numbers = (self.accuracy, self.coverage, self.assigned_accuracy, self.top_error, self.calibration_error)
        return " | ".join([str(self.rows), *(f"{number:.3f}" for number in numbers)])


CARD = Path(__file__).parent / "MODEL.md"
FIGURES_MARK = "<!-- figures: python -m services.routing.model.evaluate --data DIR --card -->"
HEADER = """\
| set | use | language | rows | accuracy | coverage | accuracy when assigned | errors in the surest 80 % | ECE |
|---|---|---|---|---|---|---|---|---|"""


def main() -> None:
    """Prints a Markdown table, or writes it into the model card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="directory of the public sets (*.jsonl)")
    parser.add_argument("--split", choices=("train", "dev"), default="dev")
    parser.add_argument("--card", action="store_true", help="write the table into MODEL.md")
    arguments = parser.parse_args()
    table = report(LinearClassifier.load(), arguments.data, arguments.split)
    if arguments.card:
        before = CARD.read_text(encoding="utf-8").split(FIGURES_MARK)[0]
        CARD.write_text(f"{before}{FIGURES_MARK}\n\n{table}\n", encoding="utf-8")
    else:
        print(table)  # noqa: T201


def report(classifier: LinearClassifier, data: Path, split: str) -> str:
    """A Markdown table with one line for each set and language."""
    lines = [f"Model `{classifier.model}`, {split} splits.", "", HEADER]
    for title, names in (("ship", SHIP_SETS), ("evaluate", EVALUATE_SETS)):
        for name in names:
            rows = [row for row in read_set(data, name, split) if row.label]
            lines += [
                f"| {name} | {title} | {language} | {figures(classifier, group).line()} |"
                for language, group in sorted(by_language(rows).items())
            ]
    return "\n".join(lines)


def by_language(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """The rows of each language."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.language].append(row)
    return groups


def figures(classifier: LinearClassifier, rows: Sequence[Row]) -> Figures:
    """Judges the rows; at least one."""
    judgements = classifier.classify([row.text for row in rows])
    correct = np.array([judgement.category == row.label for judgement, row in zip(judgements, rows, strict=True)])
    assigned = np.array([not judgement.abstained for judgement in judgements])
    confidence = np.array([_confidence(judgement) for judgement in judgements])
    surest = np.argsort(-confidence, kind="stable")[: max(1, int(0.8 * len(rows)))]
    return Figures(
        rows=len(rows),
        accuracy=float(correct.mean()),
        coverage=float(assigned.mean()),
        assigned_accuracy=float(correct[assigned].mean()) if assigned.any() else float("nan"),
        top_error=float(1 - correct[surest].mean()),
        calibration_error=expected_calibration_error(confidence, correct),
    )


def _confidence(judgement: Judgement) -> float:
    return judgement.probabilities[judgement.category]


if __name__ == "__main__":
    main()
