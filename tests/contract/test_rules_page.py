"""docs/rules.md names what there is: every field with its type and words, and its examples are good rules."""

import re

from ascolto.classification.v1 import classification_pb2 as pb
from services.routing.rules.calendar_file import FIELDS as CALENDAR_FIELDS
from services.routing.rules.conditions import MAX_CHARACTERS
from services.routing.rules.costs import MAX_LOOPED_ITEMS, MAX_PATTERN_SIZE
from services.routing.rules.engine import PRIORITIES
from services.routing.rules.loading import FIELDS, load_rules
from services.routing.rules.setting_file import FIELDS as SETTING_FIELDS
from services.routing.rules.variables import BY_NAME, TEXT_MAX_CHARACTERS
from services.routing.standing import head_start
from tests.contract.pages import DOCS, blocks, first_codes, rows, section, spans

PAGE = (DOCS / "rules.md").read_text()
TYPES = {"strings": "list of strings"}


def test_every_field_that_conditions_may_read_stands_there_with_its_type() -> None:
    told = {spans(row[0])[0]: row[1] for row in rows(section(PAGE, "Conditions"))}
    assert told == {
        name: TYPES.get(field.type, field.type) + ("?" if field.optional else "") for name, field in BY_NAME.items()
    }


def test_the_words_of_each_field_stand_there() -> None:
    told = {spans(row[0])[0]: set(spans(row[2])) for row in rows(section(PAGE, "Conditions"))}
    assert {name: told[name] for name, field in BY_NAME.items() if field.words} == {
        name: set(field.words) for name, field in BY_NAME.items() if field.words
    }


def test_every_field_of_the_file_stands_there() -> None:
    named = first_codes(section(PAGE, "The file"))
    assert {name for name in named if "." not in name} == {*FIELDS, *SETTING_FIELDS}
    assert {"time_zone", "hours", "holidays"} == set(CALENDAR_FIELDS) <= set(spans(section(PAGE, "The file")))


def test_the_examples_are_good_rules() -> None:
    for example in blocks(PAGE, "yaml"):
        load_rules(example.encode(), "docs/rules.md")


def test_the_priorities_and_their_head_starts_stand_there() -> None:
    told = re.findall(r"(\d+) hours (behind )?for `(\w+)`", section(PAGE, "Reach, and the small voices"))
    hours = {word: -int(number) if behind else int(number) for number, behind, word in told} | {"normal": 0}
    assert hours == {word: _head_start_hours(priority) for word, priority in PRIORITIES.items()}


def _head_start_hours(priority: pb.Priority.ValueType) -> float:
    return head_start(pb.PostClassified(handling=pb.Handling(priority=priority))).total_seconds() / 3600


def test_the_bounds_of_conditions_stand_there() -> None:
    conditions = section(PAGE, "Conditions")
    assert f"{TEXT_MAX_CHARACTERS:,} characters" in conditions
    assert f"at most {MAX_CHARACTERS:,} characters" in conditions
    assert f"at most {MAX_LOOPED_ITEMS} items" in conditions
    assert f"at most {MAX_PATTERN_SIZE} steps" in conditions
