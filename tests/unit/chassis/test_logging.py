"""Log lines: one canonical line per unit of work, JSON that a machine reads, and no text of people."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from chassis.errors import Crash, NeverRetry
from chassis.logging import canonical, configure, safe_exception
from chassis.settings import ProcessSettings


@pytest.fixture
def _restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def _configured(log_format: str, log_level: str = "INFO") -> None:
    configure(ProcessSettings.model_validate({"log_format": log_format, "log_level": log_level}), service="sample")


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_unit_of_work_is_one_line_with_ids_outcome_and_duration() -> None:
    with capture_logs() as logs, canonical(structlog.get_logger(), "batch_processed", consumer="c") as line:
        line.bind(records=3)

    [entry] = logs
    assert entry.pop("duration_ms") >= 0
    assert entry == {
        "event": "batch_processed",
        "consumer": "c",
        "records": 3,
        "outcome": "done",
        "log_level": "info",
    }


def _fail_canonically() -> None:
    with canonical(structlog.get_logger(), "batch_processed"):
        raise ValueError("what somebody wrote")


def test_a_unit_of_work_that_fails_says_so_by_class_and_raises_on() -> None:
    with capture_logs() as logs, pytest.raises(ValueError, match="what somebody wrote"):
        _fail_canonically()

    [entry] = logs
    assert (entry["outcome"], entry["error_class"]) == ("failed", "ValueError")
    assert "what somebody wrote" not in str(entry)


@pytest.mark.usefixtures("_restored_logging")
def test_json_lines_carry_time_level_and_service(capsys: pytest.CaptureFixture[str]) -> None:
    _configured("json")
    structlog.get_logger("chassis.sample").info("thing_happened", event_id="1")

    [line] = _lines(capsys)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "thing_happened",
        "event_id": "1",
        "level": "info",
        "logger": "chassis.sample",
        "service": "sample",
    }


@pytest.mark.usefixtures("_restored_logging")
def test_libraries_log_in_the_same_form_and_only_when_something_is_wrong(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _configured("json")
    logging.getLogger("aiokafka.consumer").info("all day long")
    logging.getLogger("aiokafka.consumer").warning("something is wrong")

    [line] = _lines(capsys)
    assert (line["event"], line["level"], line["service"]) == ("something is wrong", "warning", "sample")


@pytest.mark.usefixtures("_restored_logging")
def test_the_level_is_that_of_the_settings(capsys: pytest.CaptureFixture[str]) -> None:
    _configured("json", "ERROR")
    structlog.get_logger("chassis.sample").warning("left_out")
    structlog.get_logger("chassis.sample").error("kept")

    assert [line["event"] for line in _lines(capsys)] == ["kept"]


def _raised(error: Exception) -> Exception:
    try:
        raise error  # noqa: TRY301 - raised only to get a traceback
    except Exception as raised:  # noqa: BLE001 - any error will do
        return raised


def test_an_exception_is_logged_by_class_and_place_without_its_text() -> None:
    entry = safe_exception(None, "error", {"exc_info": _raised(ValueError("what somebody wrote"))})

    assert entry["error_class"] == "ValueError"
    assert "test_logging.py" in entry["error_at"][0]
    assert "what somebody wrote" not in str(entry)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (NeverRetry("POST_EMPTY", "the post is empty"), "POST_EMPTY: the post is empty"),
        (Crash("the producer is dead"), "the producer is dead"),
        (ConnectionRefusedError(111, "refused"), "[Errno 111] refused"),
    ],
)
def test_errors_that_hold_no_text_of_people_are_told_in_full(error: Exception, text: str) -> None:
    assert safe_exception(None, "error", {"exc_info": error})["error"] == text
