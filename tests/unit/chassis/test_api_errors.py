"""Errors as google.rpc details: complete, small enough for trailers, and readable on the other side."""

from enum import auto

import grpc
import pytest

from chassis.api_errors import (
    ApiError,
    ChassisReason,
    ErrorReason,
    explanation_of,
    invalid_argument,
    not_found,
    registered_reasons,
    unavailable,
)


def test_violations_and_reason_come_back_on_the_other_side() -> None:
    error = invalid_argument("page_size", "is over 1000; ask for less", more=[("filter", "is empty")])
    explanation = explanation_of(error.to_status())
    assert explanation is not None
    assert explanation.violations == (("page_size", "is over 1000; ask for less"), ("filter", "is empty"))
    assert (explanation.reason, explanation.retry_after_seconds) == ("FIELD_INVALID", None)


def test_metadata_and_retry_come_back_on_the_other_side() -> None:
    missing = explanation_of(not_found("drafts/1").to_status())
    away = explanation_of(unavailable("STORE_UNAVAILABLE", "Away.", retry_after_seconds=2.5).to_status())
    assert missing is not None
    assert missing.metadata == {"resource": "drafts/1"}
    assert away is not None
    assert away.retry_after_seconds == 2.5


def test_an_error_with_a_thousand_violations_fits_into_trailers() -> None:
    more = [(f"posts[{number}].text", "è" * 500) for number in range(1000)]
    status = invalid_argument("posts[0].text", "x" * 500, more=more).to_status()
    assert len(status.SerializeToString()) + 3 * len(status.message.encode()) < 8192


@pytest.mark.parametrize("letter", ["x", "è", "🦜"])
def test_an_error_about_a_name_without_end_fits_into_trailers(letter: str) -> None:
    status = not_found(letter * 20_000).to_status()
    explanation = explanation_of(status)
    assert explanation is not None
    assert explanation.metadata["resource"].endswith(f"{letter}…")
    assert len(status.SerializeToString()) + 3 * len(status.message.encode()) < 4096


def test_a_reason_must_stand_in_a_catalogue() -> None:
    with pytest.raises(ValueError, match="MADE_UP is in no ErrorReason: define it there and explain it"):
        ApiError(grpc.StatusCode.ABORTED, "MADE_UP", "x")


def test_defining_reasons_registers_them_under_their_names() -> None:
    class ShopReason(ErrorReason):
        SHELF_EMPTY = auto()

    assert ShopReason.SHELF_EMPTY == "SHELF_EMPTY"
    assert {"SHELF_EMPTY", *ChassisReason} <= registered_reasons()


def test_a_reason_of_another_form_is_refused_where_it_is_defined() -> None:
    with pytest.raises(ValueError, match="UPPER_SNAKE words, these are not: shelfEmpty"):

        class _Wrong(ErrorReason):
            shelfEmpty = auto()  # noqa: N815 - the form that is refused


def test_a_status_of_another_domain_explains_nothing() -> None:
    status = not_found("x").to_status()
    status.ClearField("details")
    assert explanation_of(status) is None
