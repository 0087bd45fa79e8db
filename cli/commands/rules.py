"""`ascolto rules`: what is to be done about posts, tried out without any server."""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Annotated, Final

import typer

from ascolto.classification.v1 import classification_pb2 as pb
from ascolto.posts.v1 import post_pb2 as posts
from cli import ruling_lines
from cli.console import JSON_OPTION, err, print_json
from cli.errors import CommandError
from cli.ruling_lines import Tried
from cli.trial_posts import TrialPost, read_posts
from services.routing.classifier import Cascade
from services.routing.decisions import Classifier, classify_posts
from services.routing.rules.book import nothing_to_do
from services.routing.rules.engine import Engine
from services.routing.rules.files import load_file, read_folder
from services.routing.rules.loading import load_rules
from services.routing.rules.problems import Problem, RulesError

app = typer.Typer(help="Rules: check and try what is to be done about posts.", no_args_is_help=True)
BATCH_POSTS: Final = 500
BEFORE_YEAR: Final = 9990
Json = Annotated[bool, JSON_OPTION]


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Files of rules, or folders of <tenant>.yaml.")],
    *,
    as_json: Json = False,
) -> None:
    """Say everything that is wrong with files of rules, with file, line, column and field. Ends with 1 where that is.

    With --json one object for each problem, and none where all is well.
    """
    problems = [problem for file in files for problem in _problems(file)]
    for problem in problems:
        if as_json:
            print_json(problem.as_dict())
        else:
            err.print(str(problem), markup=False, soft_wrap=True)
    if problems:
        raise CommandError(f"{len(problems)} problems; a service would keep the rules that it has.")
    if not as_json:
        typer.echo(f"{', '.join(map(str, files))}: good")


@app.command("test")
def try_out(
    file: Annotated[Path, typer.Argument(help="A file of rules.")],
    *,
    against: Annotated[
        Path, typer.Option(help="Posts, as JSON lines: rows with a text, or what `ascolto normalize` prints.")
    ],
    at: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"],
            help="When the posts count as heard, in UTC unless it ends with an offset such as +01:00; left out, when "
            "each was written, or now.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show for each post its classification, which rules fired, which did not and why, and what is to be done.

    The shipped model classifies. Ends with 1 where the rules cannot be used, or a line of the posts cannot be read.
    """
    engine, heard_at = _engine(file), at.replace(tzinfo=at.tzinfo or UTC) if at else None
    classifier = Cascade.load()
    bad_lines = 0
    try:
        with against.open("rb") as source:
            rows = read_posts(source)
            while batch := list(islice(rows, BATCH_POSTS)):
                bad_lines += _show(engine, classifier, batch, heard_at, as_json=as_json)
    except OSError as error:
        raise CommandError(f"{against}: {error.strerror}") from error
    if bad_lines:
        raise CommandError(f"{against}: {bad_lines} of its lines could not be read.")


def _problems(path: Path) -> Iterable[Problem]:
    try:
        contents = read_folder(path) if path.is_dir() else {path: path.read_bytes()}
    except RulesError as error:
        return error.problems
    except OSError as error:
        return [Problem(str(path), 0, 0, "", f"cannot be read: {error.strerror}")]
    return [problem for file, content in contents.items() for problem in _of_file(path, file, content)]


def _of_file(given: Path, file: Path, content: bytes | Problem) -> Iterable[Problem]:
    """The problems of one file; only in a folder does its name have to be a tenant's."""
    if isinstance(content, Problem):
        return [content]
    try:
        if given == file:
            load_rules(content, str(file))
        else:
            load_file(file, content)
    except RulesError as error:
        return error.problems
    return ()


def _engine(file: Path) -> Engine:
    try:
        return Engine(load_rules(file.read_bytes(), str(file)))
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from error
    except RulesError as error:
        raise CommandError(str(error)) from error


def _show(engine: Engine, classifier: Classifier, batch: list[TrialPost], at: datetime | None, *, as_json: bool) -> int:
    """Print each post of a batch; answer how many lines could not be read."""
    readable = [row.post for row in batch if isinstance(row.post, posts.Post)]
    received = [posts.PostReceived(post=post) for post in readable]
    classified = iter(classify_posts(classifier, received, lambda _, stream: engine.rules.mixes.get(stream)))
    bad_lines = 0
    for row in batch:
        tried = (
            row.post if isinstance(row.post, str) else _tried(engine, next(classified), row.post, at or row.heard_at)
        )
        if isinstance(tried, str):
            bad_lines += 1
            _print({"line": row.line, "error": tried}, [f"{row.line}: {tried}"], as_json=as_json)
        else:
            _print(ruling_lines.as_json(row.line, tried), ruling_lines.as_text(row.line, tried), as_json=as_json)
    return bad_lines


def _tried(engine: Engine, made: pb.Classification, post: posts.Post, heard_at: datetime) -> Tried | str:
    """What the rules make of a post; or why that cannot be shown."""
    if heard_at.year >= BEFORE_YEAR:
        return f"its time must lie before the year {BEFORE_YEAR}, or its deadlines have no date: give an earlier one"
    ruling = None if nothing_to_do(post) else engine.rule(made, post, heard_at)
    return Tried(engine, made, post, ruling)


def _print(value: dict[str, object], lines: Iterable[str], *, as_json: bool) -> None:
    if as_json:
        print_json(value)
        return
    for line in lines:
        typer.echo(line)
