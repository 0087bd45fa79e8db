#!/usr/bin/env python3
"""Renders Strimzi's topics and users from the catalogue of topics; `--check` says whether they are current."""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from chassis.messages import dead_letter_topic
from contracts import topics as catalogue
from contracts.provision import specifications

FOLDER: Final = Path(__file__).parent / "k8s" / "components" / "strimzi"
HEADER: Final = "# Rendered from contracts/topics.py by deploy/render_topics.py. Do not edit.\n"
CLUSTER: Final = "ascolto"
REPLICAS: Final = 3
MIN_INSYNC_REPLICAS: Final = "2"
"""With acks=all a record is on two brokers before anybody hears that it is kept."""

SERVICES: Final = (catalogue.INGEST, catalogue.ROUTING, catalogue.RESPONDER, catalogue.FEEDBACK)
Manifest = dict[str, Any]


def topic_manifests() -> list[Manifest]:
    """Every topic of the catalogue, dead letters included."""
    return [
        _manifest(
            "KafkaTopic",
            spec.name,
            {
                "partitions": spec.partitions,
                "replicas": spec.replication_factor,
                "config": dict(spec.config) | {"min.insync.replicas": MIN_INSYNC_REPLICAS},
            },
        )
        for spec in specifications(REPLICAS)
    ]


def user_manifests() -> list[Manifest]:
    """One user per service, which may do what the catalogue says and nothing else."""
    return [_user(service) for service in SERVICES]


def rules(service: str) -> list[Manifest]:
    """The rights of a service: write what it produces and its dead letters, read what it consumes."""
    produced = [topic for topic in catalogue.TOPICS if topic.producer == service]
    groups = catalogue.groups_of(service)
    consumed = [(topic, group) for group in groups for topic in catalogue.consumed_by(group)]
    dead_letters = [dead_letter_topic(topic.name, group) for topic, group in consumed]
    writes = [_rule("topic", name, "Write", "Describe") for name in [*(each.name for each in produced), *dead_letters]]
    reads = [_rule("topic", topic.name, "Read", "Describe") for topic, _ in consumed]
    members = [_rule("group", group, "Read", "Describe") for group in groups]
    return writes + reads + members + _beside(service)


def _beside(service: str) -> list[Manifest]:
    """What a service looks at beside its own work."""
    if service == catalogue.ROUTING:  # its read model is rebuilt from its own corrections
        return [_rule("topic", catalogue.CORRECTIONS.name, "Read", "Describe")]
    if service == catalogue.RESPONDER:  # its read models are rebuilt from its own facts
        return [_rule("topic", catalogue.REPLIES.name, "Read", "Describe")]
    if service == catalogue.FEEDBACK:  # counts are whole up to where routing has come
        return [_rule("topic", catalogue.POSTS.name, "Describe"), _rule("group", catalogue.ROUTING, "Describe")]
    return []


def _rule(kind: str, name: str, *operations: str) -> Manifest:
    return {"resource": {"type": kind, "name": name, "patternType": "literal"}, "operations": list(operations)}


def _user(service: str) -> Manifest:
    spec = {
        "authentication": {"type": "scram-sha-512"},
        "authorization": {"type": "simple", "acls": rules(service)},
    }
    return _manifest("KafkaUser", f"ascolto-{service}", spec)


def _manifest(kind: str, name: str, spec: Mapping[str, Any]) -> Manifest:
    return {
        "apiVersion": "kafka.strimzi.io/v1",
        "kind": kind,
        "metadata": {"name": name, "labels": {"strimzi.io/cluster": CLUSTER}},
        "spec": dict(spec),
    }


def rendered() -> dict[Path, str]:
    """What each file must hold."""
    return {FOLDER / "topics.yaml": _text(topic_manifests()), FOLDER / "users.yaml": _text(user_manifests())}


def _text(manifests: Iterable[Manifest]) -> str:
    return HEADER + yaml.safe_dump_all(manifests, sort_keys=False, width=120)


def stale() -> list[Path]:
    """The files that do not hold what they must."""
    return [path for path, text in rendered().items() if not path.exists() or path.read_text() != text]


def main(arguments: list[str]) -> int:
    """Write the files, or with `--check` only say which are stale."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write("usage: render_topics.py [--check]\n")
        return 2
    if not arguments:
        for path, text in rendered().items():
            path.write_text(text)
        return 0
    for path in stale():
        sys.stderr.write(f"{path} is not what contracts/topics.py says: run deploy/render_topics.py\n")
    return 1 if stale() else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
