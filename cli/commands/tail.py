"""`ascolto tail`: the events on the topics, as they come."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

import typer
from aiokafka import AIOKafkaConsumer
from google.protobuf.json_format import MessageToDict

from chassis.errors import NeverRetry
from chassis.kafka import KafkaSettings
from chassis.messages import Record
from cli.console import JSON_OPTION, out, print_json
from cli.errors import CommandError
from cli.settings import load_addresses
from contracts.codec import decode
from contracts.topics import BY_NAME, TOPICS


def tail(
    topic: Annotated[list[str] | None, typer.Argument(help="Topics; left out: all.")] = None,
    beginning: Annotated[bool, typer.Option(help="From the beginning instead of from now on.")] = False,  # noqa: FBT002
    limit: Annotated[int, typer.Option(help="End after so many; 0: never.")] = 0,
    text: Annotated[bool, typer.Option(help="Show what people said, too.")] = False,  # noqa: FBT002 - a flag
    as_json: Annotated[bool, JSON_OPTION] = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Print events as they come; people's words only with --text. Ctrl-C ends it."""
    unknown = [name for name in topic or () if name not in BY_NAME]
    if unknown:
        raise CommandError(f"{unknown[0]}: no such topic; there are {', '.join(BY_NAME)}.")
    try:
        asyncio.run(
            _print_events(topic or [each.name for each in TOPICS], beginning, limit, text=text, as_json=as_json)
        )
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


async def _print_events(topics: list[str], beginning: bool, limit: int, *, text: bool, as_json: bool) -> None:  # noqa: FBT001
    shown = 0
    async for record in follow(_kafka(), topics, beginning=beginning):
        event = describe(record, text=text)
        if as_json:
            print_json(event)
        else:
            out.print(_line(event), markup=False, soft_wrap=True)
        shown += 1
        if shown == limit:
            return


def describe(record: Record, *, text: bool) -> dict[str, Any]:
    """A record for people and programs; one that cannot be decoded says why."""
    place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
    try:
        event = decode(record)
    except NeverRetry as error:
        return place | {"unreadable": error.code, "message": error.message}
    message = MessageToDict(event.message, preserving_proto_field_name=True)
    if not text:
        _remove_words(message)
    metadata = event.metadata
    return place | {
        "event_id": str(metadata.event_id),
        "type": event.message.DESCRIPTOR.full_name,
        "subject": metadata.subject,
        "time": metadata.time.isoformat(),
        "message": message,
    }


def _remove_words(message: dict[str, Any]) -> None:
    message.get("post", {}).pop("utterance", None)
    for fact in ("drafted", "edited"):
        message.get(fact, {}).pop("text", None)
        message.get(fact, {}).pop("evidence", None)


def _line(event: dict[str, Any]) -> str:
    message = event.get("message", {})
    detail = event.get("unreadable") or _detail(message)
    words = message.get("post", {}).get("utterance", {}).get("text", "")
    return f"{event['topic']:<24} {event.get('subject', ''):<60} {detail} {words}".rstrip()


def _detail(message: dict[str, Any]) -> str:
    if "classification" in message:
        found = message["classification"]
        likeliest = max((each["probability"] for each in found.get("probabilities", ())), default=1.0)
        return f"{found['category'].removeprefix('CATEGORY_').lower()} {likeliest:.2f}"
    if "change" in message:
        return str(message["change"]).removeprefix("CHANGE_").lower()
    return next((fact for fact in message if isinstance(message[fact], dict) and fact != "target"), "")


async def follow(settings: KafkaSettings, topics: list[str], *, beginning: bool) -> AsyncIterator[Record]:
    """The records of topics without end, from their beginning or from now on."""
    start = "earliest" if beginning else "latest"
    consumer = AIOKafkaConsumer(*topics, **settings.connection("ascolto-tail"), auto_offset_reset=start)
    await consumer.start()
    try:
        async for raw in consumer:
            yield Record(raw.topic, raw.partition, raw.offset, raw.timestamp, raw.key, raw.value, raw.headers)
    finally:
        await consumer.stop()


def _kafka() -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=tuple(load_addresses().need("kafka_bootstrap_servers").split(",")))
