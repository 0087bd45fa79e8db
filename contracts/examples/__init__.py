"""Golden examples: records as they stood on each topic when its contract was made, one JSON file each.

`value_base64` is the wire; `message` shows the same for people. Both must stay readable for ever: consumers
are tested with these, so a change that breaks an old record breaks a test.
"""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

from google.protobuf.json_format import Parse
from google.protobuf.message import Message

from chassis.messages import Record
from contracts.topics import Topic

FOLDER = Path(__file__).parent


def example_files(topic: Topic) -> list[Path]:
    """The examples of a topic, by name."""
    return sorted((FOLDER / topic.name).glob("*.json"))


def read_example(topic: Topic, file: Path) -> tuple[Record, Message]:
    """The record, and the message that it must decode to."""
    example = json.loads(file.read_text())
    headers = tuple((name, value.encode()) for name, value in example["headers"].items())
    value = base64.b64decode(example["value_base64"])
    record = Record(topic.name, 0, 0, 0, example["key"].encode(), value, headers)
    return record, Parse(json.dumps(example["message"]), topic.message())


def examples(topic: Topic) -> Iterator[tuple[Record, Message]]:
    """All examples of a topic."""
    return (read_example(topic, file) for file in example_files(topic))
