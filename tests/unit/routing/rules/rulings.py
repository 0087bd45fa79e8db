"""Rules and posts with as little as a test needs to say."""

import json
from datetime import UTC, datetime
from textwrap import indent
from typing import Any

from ascolto.classification.v1 import classification_pb2 as pb
from ascolto.posts.v1 import post_pb2 as posts
from services.routing.rules.engine import Engine
from services.routing.rules.loading import load_rules
from tests.factories import make_classification, make_post

HEARD_AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def file_of(*rules: str, default: str = "{queue: general}", calendar: str = "always") -> str:
    """A file of rules; each rule is the lines of one."""
    shown = "".join("  - " + indent(rule, "    ").lstrip() + "\n" for rule in rules)
    return f"calendar: {calendar}\ndefault: {default}\n" + (f"rules:\n{shown}" if rules else "")


def rule_of(when: str, setting: str, name: str = "a", *, stop: bool = False) -> str:
    """The lines of one rule."""
    return f"name: {name}\nwhen: {json.dumps(when)}\nset: {{{setting}}}" + ("\nstop: true" if stop else "")


def engine_of(*rules: str, **file: str) -> Engine:
    """The engine of such a file."""
    return Engine(load_rules(file_of(*rules, **file).encode(), "acme.yaml"))


def post_of(followers: int | None = None, rating: float | None = None, **post: Any) -> posts.Post:
    """A post with reach."""
    made = make_post(**post)
    made.reach.CopyFrom(posts.Reach(followers=followers, rating=rating))
    return made


def complaint(**fields: Any) -> pb.Classification:
    """A complaint in English."""
    made = make_classification(pb.CATEGORY_COMPLAINT)
    made.MergeFrom(pb.Classification(**fields))
    return made
