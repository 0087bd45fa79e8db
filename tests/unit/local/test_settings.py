"""Existing servers are taken from the environment."""

from local.settings import ExternalServers


def test_both_servers_can_be_named() -> None:
    named = {"KAFKA_BOOTSTRAP_SERVERS": "broker.example:9092", "POSTGRES_DSN": "postgresql://db.example/postgres"}
    expected = ExternalServers("broker.example:9092", "postgresql://db.example/postgres")
    assert ExternalServers.from_environment(named) == expected


def test_an_empty_variable_counts_as_absent() -> None:
    assert ExternalServers.from_environment({"KAFKA_BOOTSTRAP_SERVERS": ""}) == ExternalServers(None, None)
