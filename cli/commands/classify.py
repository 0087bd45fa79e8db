"""`ascolto classify`: what the classifier makes of texts, without any server."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import typer

from cli import judgement_lines, mix_lines, weights
from cli.console import JSON_OPTION, err, print_json
from cli.errors import CommandError
from cli.texts import STANDARD_INPUT, Line, first_texts, opened, read_lines
from services.routing.classifier import Cascade
from services.routing.decisions import Classifier
from services.routing.judgement import Judgement, Text
from services.routing.mix import Stream, stream_of
from services.routing.streams import Learnt, learn

BATCH_ROWS: Final = 500
BATCH_CHARACTERS: Final = 4 * 1024 * 1024
EVIDENCE_OPTION = typer.Option("--evidence", help="Show which words and signs spoke for what.")
LEARN_OPTION = typer.Option(
    "--learn-mix",
    help="Learn from the first 5,000 lines which categories the posts of each network usually are; weigh by it.",
)
PLAIN_OPTION = typer.Option("--plain", help="Every line is a text, also one that looks like JSON.")


def classify(  # noqa: PLR0913 - what can be said of it
    file: Annotated[
        str,
        typer.Argument(
            help='JSON lines with "text", and "network" (or a venue: chat, review ...), "language", "rating", "reply" '
            "if known; or lines of plain text; - reads standard input."
        ),
    ],
    *,
    model: Annotated[str, typer.Option(help="A file of weights, or `shipped`.")] = weights.SHIPPED,
    evidence: Annotated[bool, EVIDENCE_OPTION] = False,
    plain: Annotated[bool, PLAIN_OPTION] = False,
    learn_mix: Annotated[bool, LEARN_OPTION] = False,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Classify each line of FILE, and say why: all that docs/classifier.md lists.

    Any text gets an answer, in lines of up to 16,777,216 characters. A line that holds none is answered by what is
    wrong with it, the others go on, and the command ends with 1. Lines are JSON where FILE is named so (.jsonl) or its
    first line starts with {.
    """
    classifier = weights.load_classifier(model)
    mixes = _learnt(classifier, file, plain=plain) if learn_mix else {}
    bad_lines = 0
    if not as_json:
        typer.echo(judgement_lines.heading())
    with opened(file) as source:
        for batch in _batches(read_lines(source, file, plain=plain)):
            judged = _judged(classifier, [_in_stream(line, mixes) for line in batch])
            bad_lines += _print(judged, evidence=evidence, as_json=as_json)
    if bad_lines:
        raise CommandError(f"{file}: {bad_lines} of its lines could not be read; their rows say why.")


def _learnt(classifier: Cascade, file: str, *, plain: bool) -> Mapping[Stream, Learnt]:
    """The mixes of the streams of a file; tells of each on standard error."""
    if file == STANDARD_INPUT or (Path(file).exists() and not Path(file).is_file()):
        raise CommandError(f"--learn-mix reads {file} twice, and that can be read once: give a file.")
    mixes = learn(classifier, first_texts(file, plain=plain).texts)
    for stream, learnt in mixes.items():
        err.print(mix_lines.told(stream, learnt), markup=False, soft_wrap=True)
    return mixes


def _in_stream(line: Line, mixes: Mapping[Stream, Learnt]) -> Line:
    """The line with what is known of its stream."""
    learnt = mixes.get(stream_of(line.text)) if isinstance(line.text, Text) else None
    return Line(line.number, replace(line.text, mix=learnt.mix)) if learnt and isinstance(line.text, Text) else line


def _batches(lines: Iterator[Line]) -> Iterator[list[Line]]:
    """As many lines as are judged in one call: bounded in number and in size, whatever the file."""
    batch: list[Line] = []
    characters = 0
    for line in lines:
        batch.append(line)
        characters += len(line.text.text) if isinstance(line.text, Text) else 0
        if len(batch) == BATCH_ROWS or characters >= BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _judged(classifier: Classifier, batch: Sequence[Line]) -> Iterator[tuple[int, Judgement | str]]:
    judgements = iter(classifier.classify([line.text for line in batch if isinstance(line.text, Text)]))
    for line in batch:
        yield line.number, next(judgements) if isinstance(line.text, Text) else line.text


def _print(judged: Iterator[tuple[int, Judgement | str]], *, evidence: bool, as_json: bool) -> int:
    """Print the lines in order; answer how many held no text."""
    bad_lines = 0
    for number, judgement in judged:
        if isinstance(judgement, str):
            bad_lines += 1
            if as_json:
                print_json({"line": number, "error": judgement})
            else:
                typer.echo(judgement_lines.refused(number, judgement))
        elif as_json:
            print_json(judgement_lines.shown(number, judgement, evidence=evidence))
        else:
            typer.echo("\n".join(judgement_lines.told(number, judgement, evidence=evidence)))
    return bad_lines
