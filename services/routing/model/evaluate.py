"""Judges the shipped weights on every labelled set, each for itself.

python -m services.routing.model.evaluate [--data DIR] [--labels FILE] [--split dev] [--write]
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.routing.calibration import Floats, expected_calibration_error
from services.routing.classifier import Cascade, Judgement
from services.routing.judgement import Category, Mix, Stage
from services.routing.mix import LEAST_POSTS, learnt
from services.routing.model.datasets import EVALUATE_SETS, LABELS, SHIP_SETS, VENUES, Row, read_labels, read_set
from services.routing.streams import probabilities


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
    linear: float
    """Share that the linear stage decided alone."""

    def line(self, text_alone: float, wanted: float | None, mixed: "Figures | None") -> str:
        """One row of a Markdown table; `text_alone` is the accuracy without the venue, `mixed` all with the mix."""
        told = [
            text_alone,
            self.accuracy,
            mixed and mixed.accuracy,
            self.coverage,
            self.assigned_accuracy,
            self.top_error,
            mixed and mixed.top_error,
            self.calibration_error,
            self.linear,
        ]
        cells = ["" if number is None else f"{number:.3f}" for number in told]
        return " | ".join([str(self.rows), *cells[:3], f"{wanted:.2f}" if wanted else "", *cells[3:]])


PAGE = Path(__file__).parents[3] / "docs" / "classifier.md"
FIGURES_MARK = "<!-- figures: make eval DATA=folder -->"
TARGETS = {
    "airline_tweets": 0.80,
    "multiemotions_it": 0.75,
    "absita18_it": 0.75,
    "ilisten_it": 0.75,
    "reviewed_it_brand_comments": 0.70,
    "semeval19_suggestions": 0.85,
    "germeval17_de": 0.85,
    "minibar_app_reviews": 0.85,
    "banking77": 0.85,
    "reclameaqui_pt": 0.85,
}
"""Accuracy without abstention that we want at least."""

SPLITS = ("train", "dev")

COLUMNS = (
    "set",
    "use",
    "lang",
    "rows",
    "text alone",
    "accuracy",
    "with mix",
    "wanted",
    "coverage",
    "right",
    "errors in surest 80 %",
    "with mix",
    "ECE",
    "linear",
)


def main() -> None:
    """Prints the tables, or writes them into the page of the classifier."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="directory of the public sets (*.jsonl)")
    parser.add_argument("--split", choices=SPLITS, default="dev")
    parser.add_argument("--model", type=Path, help="other weights than those that ship")
    parser.add_argument("--labels", type=Path, help="what people said of posts: see `ascolto triage export`")
    parser.add_argument("--write", action="store_true", help="write the tables into docs/classifier.md")
    arguments = parser.parse_args()
    if not (arguments.data or arguments.labels):
        parser.error("nothing to judge by: name --data, --labels or both")
    if arguments.write and (arguments.labels or arguments.model or not arguments.data):
        parser.error("--write is for the weights that ship, on the public sets alone: the page is published")
    labelled = read_labels(arguments.labels) if arguments.labels else []
    tables = report(Cascade.load(arguments.model), arguments.data, arguments.split, labelled)
    if arguments.write:
        before = PAGE.read_text(encoding="utf-8").split(FIGURES_MARK)[0]
        PAGE.write_text(f"{before}{FIGURES_MARK}\n\n{tables}\n", encoding="utf-8")
    else:
        print(tables)  # noqa: T201


def report(classifier: Cascade, data: Path | None, split: str, labelled: Sequence[Row] = ()) -> str:
    """A Markdown table with one line for each set and language, and one of the calibration of each language."""
    lines = [f"Model `{classifier.model}`, {split} splits.", "", *heading(COLUMNS)]
    outcomes: dict[str, list[Outcomes]] = defaultdict(list)
    of_stream: dict[str, list[Outcomes]] = defaultdict(list)
    public = _sets(data, split) if data else ()
    for use, name, rows in [*public, ("yours", LABELS, labelled)]:
        mix = mix_of(classifier, data, name, split) if data and use != "yours" else None
        for language, group in sorted(by_language(rows).items()):
            found, alone = judge(classifier, group), figures(classifier, [text_alone(row) for row in group])
            mixed = judge(classifier, [with_mix(row, mix) for row in group]) if mix else None
            line = found.figures().line(alone.accuracy, TARGETS.get(name), mixed.figures() if mixed else None)
            lines.append(f"| {name} | {use} | {language} | {line} |")
            if use != "ship":
                outcomes[language].append(found)
                of_stream[language].append(mixed or found)
    return "\n".join([*lines, "", *calibration_lines(outcomes, of_stream)])


def heading(columns: Sequence[str]) -> list[str]:
    """The first two lines of a Markdown table."""
    return [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]


def mix_of(classifier: Cascade, data: Path, name: str, split: str) -> Mix | None:
    """What the set's other split teaches about its mix, as a stream's past would: from texts, and never from labels."""
    past = [row.text for each in SPLITS if each != split for row in read_set(data, name, each)]
    if len(past) < LEAST_POSTS:
        return None
    return learnt(probabilities(classifier, past), classifier.usual(VENUES.get(name)))


def with_mix(row: Row, mix: Mix) -> Row:
    """The row as one of a stream whose mix is known."""
    return replace(row, text=replace(row.text, mix=mix))


def _sets(data: Path, split: str) -> Iterator[tuple[str, str, Sequence[Row]]]:
    """What the rows of each set are for, its name, and those with a label of ours."""
    for use, names in (("ship", SHIP_SETS), ("evaluate", EVALUATE_SETS), ("other", other_sets(data, split))):
        for name in names:
            yield use, name, [row for row in read_set(data, name, split) if row.label in set(Category)]


def other_sets(data: Path, split: str) -> list[str]:
    """Sets in the folder that this project has no word about."""
    ending = f".{split}.jsonl"
    names = sorted(path.name.removesuffix(ending) for path in data.glob(f"*{ending}"))
    return [name for name in names if name not in {*SHIP_SETS, *EVALUATE_SETS}]


def text_alone(row: Row) -> Row:
    """The row as if nobody knew where it stood."""
    return replace(row, text=replace(row.text, venue=None))


def calibration_lines(
    outcomes: Mapping[str, Sequence["Outcomes"]], of_stream: Mapping[str, Sequence["Outcomes"]]
) -> list[str]:
    """Expected calibration error of each language, over all rows that only judge; `of_stream` is with their mixes."""
    lines = heading(("language", "rows that only judge", "ECE", "with mix"))
    for language, of_sets in sorted(outcomes.items()):
        rows = sum(each.correct.size for each in of_sets)
        errors = [_calibration_error(each) for each in (of_sets, of_stream[language])]
        lines.append(f"| {language} | {rows} | {' | '.join(f'{error:.3f}' for error in errors)} |")
    return lines


def _calibration_error(outcomes: Sequence["Outcomes"]) -> float:
    confidence = np.concatenate([each.confidence for each in outcomes])
    correct = np.concatenate([each.correct for each in outcomes])
    return expected_calibration_error(confidence, correct)


def by_language(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """The rows of each language."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.language].append(row)
    return groups


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of some labelled rows, one value for each."""

    confidence: Floats
    correct: NDArray[np.bool_]
    assigned: NDArray[np.bool_]
    linear: NDArray[np.bool_]
    """Decided by the linear stage alone."""

    def figures(self) -> Figures:
        """The rows summed up; at least one."""
        surest = np.argsort(-self.confidence, kind="stable")[: max(1, int(0.8 * self.correct.size))]
        assigned = self.correct[self.assigned]
        return Figures(
            rows=self.correct.size,
            accuracy=float(self.correct.mean()),
            coverage=float(self.assigned.mean()),
            assigned_accuracy=float(assigned.mean()) if assigned.size else float("nan"),
            top_error=float(1 - self.correct[surest].mean()),
            calibration_error=expected_calibration_error(self.confidence, self.correct),
            linear=float(self.linear.mean()),
        )


def judge(classifier: Cascade, rows: Sequence[Row]) -> Outcomes:
    """Judges the rows."""
    judgements = classifier.classify([row.text for row in rows])
    return Outcomes(
        confidence=np.array([_confidence(judgement) for judgement in judgements]),
        correct=np.array([judgement.category == row.label for judgement, row in zip(judgements, rows, strict=True)]),
        assigned=np.array([not judgement.abstained for judgement in judgements]),
        linear=np.array([judgement.stage is Stage.LINEAR for judgement in judgements]),
    )


def figures(classifier: Cascade, rows: Sequence[Row]) -> Figures:
    """Judges the rows and sums up; at least one."""
    return judge(classifier, rows).figures()


def _confidence(judgement: Judgement) -> float:
    return judgement.probabilities[judgement.category]


if __name__ == "__main__":
    main()
