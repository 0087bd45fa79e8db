"""Old records stay readable: the golden examples decode to what they showed when they were made."""

from pathlib import Path

import pytest

from contracts.codec import decode, encode
from contracts.examples import example_files, read_example
from contracts.topics import TOPICS, Topic

EXAMPLES = [
    pytest.param(topic, file, id=f"{topic.name}/{file.stem}") for topic in TOPICS for file in example_files(topic)
]


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_every_topic_has_an_example(topic: Topic) -> None:
    assert example_files(topic)


@pytest.mark.parametrize(("topic", "file"), EXAMPLES)
def test_the_wire_decodes_to_the_message_shown(topic: Topic, file: Path) -> None:
    record, message = read_example(topic, file)
    assert decode(record).message == message


@pytest.mark.parametrize(("topic", "file"), EXAMPLES)
def test_encoding_again_gives_the_same_headers(topic: Topic, file: Path) -> None:
    record, _ = read_example(topic, file)
    assert record.key is not None
    again = encode(topic, record.key.decode(), decode(record))
    assert dict(again.headers) == dict(record.headers)


def test_every_fact_of_a_reply_has_an_example() -> None:
    topic = next(topic for topic in TOPICS if topic.name == "ascolto.replies.v1")
    facts = {decode(read_example(topic, file)[0]).message.WhichOneof("fact") for file in example_files(topic)}
    assert facts == {field.name for field in topic.message.DESCRIPTOR.oneofs_by_name["fact"].fields}
