"""Kafka settings come from the environment, and what is wrong is named."""

import pytest
from pydantic import ValidationError

from chassis.kafka import KafkaSettings


def test_servers_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "a:9092, b:9093,")
    assert KafkaSettings().bootstrap_servers == ("a:9092", "b:9093")


@pytest.mark.parametrize("given", ["kafka", "kafka:", ":9092", "kafka:http"])
def test_a_server_without_a_port_is_refused_with_an_example(given: str) -> None:
    with pytest.raises(ValidationError, match="is not host:port, for example kafka:9092"):
        KafkaSettings.model_validate({"bootstrap_servers": given})


def test_no_server_is_refused() -> None:
    with pytest.raises(ValidationError, match="at least 1 item"):
        KafkaSettings.model_validate({"bootstrap_servers": ","})


def test_a_drain_longer_than_the_session_is_refused() -> None:
    with pytest.raises(ValidationError, match="KAFKA_DRAIN_TIMEOUT_SECONDS must be below"):
        KafkaSettings(session_timeout_ms=6_000, drain_timeout_seconds=6)


def test_the_password_reaches_the_client_and_no_printout() -> None:
    settings = KafkaSettings.model_validate({"sasl_username": "u", "sasl_password": "hunter2"})
    assert settings.connection("x")["sasl_plain_password"] == "hunter2"
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize(("protocol", "encrypted"), [("PLAINTEXT", False), ("SASL_SSL", True), ("SSL", True)])
def test_only_ssl_protocols_have_a_tls_context(protocol: str, encrypted: bool) -> None:  # noqa: FBT001
    settings = KafkaSettings.model_validate({"security_protocol": protocol})
    assert (settings.ssl_context() is not None) is encrypted
