"""The catalogue of topics as a page for people: who writes what, who reads it, how long it is kept."""

from collections.abc import Iterable, Iterator
from typing import Final

from contracts.topics import DEAD_LETTER_CONFIG, FEEDBACK, INGEST, RESPONDER, ROUTING, TOPICS, Topic, service_of

_DAY_MS: Final = 24 * 3600 * 1000
_HEAD: Final = """# Topics

<!-- Rendered from contracts/topics.py by `python -m cli.pages`: do not edit. -->

Every record is a CloudEvent in Kafka's binary mode: metadata in `ce_` headers, the value a bare protobuf message of
the type that `ce_type` names. Posts and what follows from them have the id of their conversation as key: a conversation
keeps its order within a topic, not across topics ([why](adr/0004-order-within-a-topic-only.md)). A consumer group has
the name of its service; a second one of the same service has a name of its own behind it.
"""
_TABLE: Final = ("topic", "message", "key", "producer", "consumers", "dead letters", "partitions", "retention")


def render() -> str:
    """The page, whole."""
    return "\n".join((_HEAD, *_diagram(TOPICS), "", *_table(TOPICS), "", *_dead_letters())) + "\n"


def _diagram(topics: Iterable[Topic]) -> Iterator[str]:
    yield from ("```mermaid", "flowchart LR")
    for service in (INGEST, ROUTING, RESPONDER, FEEDBACK):
        yield f"    {service}([{service}])"
    for topic in topics:
        node = topic.name.replace(".", "_")
        yield f"    {topic.producer} --> {node}[{topic.name}]"
        for consumer in topic.consumers:
            yield f"    {node} --> {service_of(consumer)}"
    yield "```"


def _table(topics: Iterable[Topic]) -> Iterator[str]:
    yield _row(_TABLE)
    yield _row("---" for _ in _TABLE)
    for topic in topics:
        yield _row(
            (
                f"`{topic.name}`",
                f"`{topic.message_type}`",
                topic.key,
                topic.producer,
                ", ".join(topic.consumers),
                "<br>".join(f"`{name}`" for name in topic.dead_letters()),
                str(topic.partitions),
                _kept(topic.config["retention.ms"]),
            )
        )


def _dead_letters() -> Iterator[str]:
    mebibytes = int(DEAD_LETTER_CONFIG["max.message.bytes"]) // 2**20
    yield "Each consumer has a dead letter topic of its own, of one partition, for each topic that it reads. Records"
    yield f"stay for {_kept(DEAD_LETTER_CONFIG['retention.ms'])}, untouched, up to {mebibytes} MiB each; their headers"
    yield "`__dlq.errors.*` say why and where, in the words of [errors.md](errors.md#dead-letters)."


def _kept(retention_ms: str) -> str:
    return "for ever" if retention_ms == "-1" else f"{int(retention_ms) // _DAY_MS} days"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
