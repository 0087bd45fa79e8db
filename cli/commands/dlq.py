"""`ascolto dlq`: dead letters: which there are, why, and back into their topic once the cause is mended."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

import typer

from chassis.kafka import KafkaSettings, Publisher, read_range
from chassis.messages import Outgoing, Record
from cli.console import JSON_OPTION, out, print_json, print_rows
from cli.errors import CommandError
from cli.settings import load_addresses
from contracts.topics import TOPICS

app = typer.Typer(help="Dead letters: list, show, replay.", no_args_is_help=True)
Json = Annotated[bool, JSON_OPTION]
Letter = Annotated[str, typer.Argument(help="TOPIC:PARTITION:OFFSET of the dead letter, as `list` shows it.")]
PREFIX: Final = "__dlq.errors."
DEAD_LETTER_TOPICS: Final = tuple(name for topic in TOPICS for name in topic.dead_letters())


@app.command("list")
def list_letters(
    topic: Annotated[str, typer.Option(help="Only this dead letter topic.")] = "",
    as_json: Json = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """List dead letters with why and where; a summary by code closes the table."""
    letters = [_described(record) for record in asyncio.run(_read(_topics(topic)))]
    print_rows(letters, ["letter", "code", "message", "event_id"], as_json=as_json)
    if not as_json:
        codes = Counter(str(letter["code"]) for letter in letters)
        out.print(", ".join(f"{code}: {number}" for code, number in codes.most_common()) or "No dead letters.")


@app.command()
def show(letter: Letter, as_json: Json = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Show one dead letter with its headers and the size of its value; the value itself may hold people's words."""
    record = asyncio.run(_find(letter))
    described = _described(record) | {
        "key": (record.key or b"").decode(errors="replace"),
        "value_bytes": None if record.value is None else len(record.value),
        "headers": {name: value.decode(errors="replace") for name, value in record.headers},
    }
    if as_json:
        print_json(described)
        return
    for name, value in described.items():
        out.print(f"[bold]{name}[/bold]: ", end="")
        out.print(str(value), markup=False)


@app.command()
def replay(
    letter: Annotated[str, typer.Argument(help="TOPIC:PARTITION:OFFSET; left out: see --all.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Every dead letter of the topics.")] = False,  # noqa: FBT002 - a flag
    topic: Annotated[str, typer.Option(help="With --all: only this dead letter topic.")] = "",
    as_json: Json = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Put the untouched original back into its topic; consumers that had handled it recognise it and do nothing."""
    if bool(letter) == every:
        raise CommandError("Name one dead letter, or give --all.")
    records = asyncio.run(_read(_topics(topic))) if every else [asyncio.run(_find(letter))]
    originals = [original_of(record) for record in records]
    asyncio.run(_publish([original for original in originals if original is not None]))
    done, stuck = sum(each is not None for each in originals), sum(each is None for each in originals)
    if as_json:
        print_json({"replayed": done, "not_replayable": stuck})
    else:
        out.print(f"{done} replayed" + (f", {stuck} have no value or key and cannot be" if stuck else ""))


def original_of(record: Record) -> Outgoing | None:
    """The record as it was before it was dead-lettered; None where it had no key or value to write."""
    if record.value is None or record.key is None:
        return None
    headers = [(name, value) for name, value in record.headers if not name.startswith(PREFIX)]
    return Outgoing(_why(record, "topic"), record.key, record.value, headers)


def _topics(only: str) -> tuple[str, ...]:
    if only and only not in DEAD_LETTER_TOPICS:
        raise CommandError(f"{only}: no such dead letter topic; there are {', '.join(DEAD_LETTER_TOPICS)}.")
    return (only,) if only else DEAD_LETTER_TOPICS


def _settings() -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=tuple(load_addresses().need("kafka_bootstrap_servers").split(",")))


async def _read(topics: tuple[str, ...]) -> list[Record]:
    return [record for topic in topics async for record in _records(topic)]


def _records(topic: str) -> AsyncIterator[Record]:
    return read_range(_settings(), topic)


async def _find(letter: str) -> Record:
    topic, _, place = letter.partition(":")
    async for record in _records(_topics(topic)[0]):
        if place == f"{record.partition}:{record.offset}":
            return record
    raise CommandError(f"{letter}: no such dead letter; `ascolto dlq list` shows what there is.")


async def _publish(messages: list[Outgoing]) -> None:
    settings = _settings().model_copy(update={"max_record_bytes": 20 * 1024 * 1024})
    async with Publisher(settings, client_id="ascolto-dlq-replay") as publisher:
        await publisher.publish_all(messages)


def _described(record: Record) -> dict[str, Any]:
    names = ("topic", "partition", "offset", "group", "class", "code", "message", "first_failed_at")
    event = next((value for name, value in record.headers if name == "ce_id"), b"")
    return {
        "letter": f"{record.topic}:{record.partition}:{record.offset}",
        **{name: _why(record, name) for name in names},
        "event_id": event.decode(errors="replace"),
    }


def _why(record: Record, name: str) -> str:
    return next((value.decode(errors="replace") for header, value in record.headers if header == PREFIX + name), "")
