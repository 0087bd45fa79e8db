"""Health: what denies what, and that asking never raises."""

import pytest

from chassis.health import Health


def _broken() -> str | None:
    raise ValueError("what somebody wrote")


def test_a_process_without_checks_is_well() -> None:
    health = Health()
    assert (health.live(), health.ready(), health.degraded()) == ((True, {}), (True, {}), {})


def test_what_is_not_ready_is_live() -> None:
    health = Health()
    health.add_readiness("queue", lambda: "it is full")

    assert health.ready() == (False, {"queue": "it is full"})
    assert health.live() == (True, {})


def test_what_is_not_live_is_not_ready() -> None:
    health = Health()
    health.add_liveness("loop", lambda: "it stands still")

    assert health.live() == health.ready() == (False, {"loop": "it stands still"})


def test_what_is_degraded_is_ready() -> None:
    health = Health()
    health.add_degradation("outbox", lambda: "Kafka is away")

    assert health.ready() == (True, {})
    assert health.degraded() == {"outbox": "Kafka is away"}


def test_a_check_is_asked_each_time() -> None:
    answers = iter(["not yet", None])
    health = Health()
    health.add_readiness("start", lambda: next(answers))

    assert [health.ready()[0], health.ready()[0]] == [False, True]


def test_a_check_that_fails_is_a_bad_answer_without_its_text() -> None:
    health = Health()
    health.add_liveness("broken", _broken)

    assert health.live() == (False, {"broken": "the check itself failed with ValueError"})


def test_a_name_is_given_once() -> None:
    health = Health()
    health.add_readiness("pool", lambda: None)

    with pytest.raises(ValueError, match="a health check named 'pool' exists already"):
        health.add_readiness("pool", lambda: None)
