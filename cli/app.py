"""The `ascolto` command: its table of commands, and how it ends."""

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from chassis.errors import Crash
from chassis.migrations.errors import MigrationError
from cli.commands import (
    classifier,
    dlq,
    doctor,
    drafts,
    importing,
    insights,
    integrations,
    ledger,
    migrating,
    normalize,
    rules,
    tail,
    triage,
)
from cli.commands.classify import classify
from cli.commands.demo import demo
from cli.commands.reclassify import reclassify
from cli.console import err, never_refuse_a_character
from cli.errors import CommandError
from local.errors import StackError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.command()(demo)
app.command("import")(importing.import_file)
app.add_typer(integrations.app, name="integrations")
app.command()(tail.tail)
app.add_typer(drafts.app, name="drafts")
app.add_typer(triage.app, name="triage")
app.command()(triage.decision)
app.add_typer(insights.app, name="insights")
app.add_typer(dlq.app, name="dlq")
app.command()(ledger.ledger)
app.command()(doctor.doctor)
app.command()(normalize.normalize)
app.command()(classify)
app.add_typer(rules.app, name="rules")
app.add_typer(classifier.app, name="classifier")
app.command()(reclassify)
app.command()(migrating.migrate)
app.command()(migrating.topics)


@app.callback(invoke_without_command=True)
def ascolto(
    show_version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Ascolto hears what people say, drafts answers that a person approves, and tells product teams what was said."""
    if show_version:
        typer.echo(f"ascolto {version('ascolto')}")
        raise typer.Exit


def main() -> None:
    """Run a command; whatever the user can mend ends with a message and not with a traceback."""
    never_refuse_a_character()
    try:
        app()
    except (CommandError, StackError, MigrationError, Crash) as error:
        err.print(str(error), style="red", markup=False, soft_wrap=True)
        sys.exit(getattr(error, "exit_code", 1))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
