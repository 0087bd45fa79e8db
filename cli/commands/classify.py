"""`ascolto classify`: what the classifier makes of texts, without any server."""

import json
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer

from cli.console import JSON_OPTION, err, print_json
from cli.errors import CommandError
from services.routing.classifier import Judgement, LinearClassifier, Text

BATCH = 512
_OPTIONAL = {"language": "lang", "network": "network", "rating": "rating", "reply": "reply"}


def classify(
    file: Annotated[Path, typer.Argument(help='JSON lines with "text", and "lang", "network" if known.')],
    model: Annotated[Path | None, typer.Option(help="Weights of another model than the shipped one.")] = None,
    as_json: Annotated[bool, JSON_OPTION] = False,  # noqa: ARG001, FBT002 - every command takes it; this prints JSON anyway
) -> None:
    """Classify each row of FILE: category, probabilities, abstained, model, one JSON object a line."""
    classifier = LinearClassifier.load(model)
    bad_rows = 0
    with _opened(file) as lines:
        rows = ((number, _row(line)) for number, line in enumerate(lines, start=1) if line.strip())
        while chunk := list(islice(rows, BATCH)):
            bad_rows += _classify_chunk(classifier, file, chunk)
    if bad_rows:
        raise CommandError(f"{bad_rows} rows of {file} could not be read; their lines say why.")


def _classify_chunk(classifier: LinearClassifier, file: Path, chunk: list[tuple[int, Text | str]]) -> int:
    """Print one line a row, in order; answer how many rows could not be read."""
    judgements = iter(classifier.classify([row for _, row in chunk if isinstance(row, Text)]))
    bad_rows = 0
    for number, row in chunk:
        if isinstance(row, Text):
            print_json(_shown(next(judgements)))
        else:
            bad_rows += 1
            print_json({"error": row, "line": number})
            err.print(f"{file}:{number}: {row}", markup=False)
    return bad_rows


def _row(line: bytes) -> Text | str:
    """The text of a row, or what is wrong with it."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return "this is no JSON"
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        return "text: a row is an object with a string here"
    known: dict[str, Any] = {field: row[key] for field, key in _OPTIONAL.items() if row.get(key) is not None}
    wrong = next((_OPTIONAL[field] for field, value in known.items() if not _fits(field, value)), None)
    return Text(row["text"], **known) if wrong is None else f"{wrong}: is of the wrong type"


def _fits(field: str, value: object) -> bool:
    wanted: dict[str, type | tuple[type, ...]] = {"rating": (int, float), "reply": bool}
    return isinstance(value, wanted.get(field, str))


def _shown(judgement: Judgement) -> dict[str, Any]:
    return {
        "category": judgement.category.value,
        "probabilities": {category.value: round(share, 4) for category, share in judgement.probabilities.items()},
        "abstained": judgement.abstained,
        "language": judgement.language,
        "reasons": list(judgement.reasons),
        "model": judgement.model,
    }


def _opened(file: Path) -> BinaryIO:
    try:
        return file.open("rb")
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from error
