"""Integrations as messages: what is read, what is told, page by page, and what an error names."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ascolto.ingest.v1 import integrations_service_pb2 as pb
from chassis.api_errors import ApiError
from contracts.integrations import Integration
from services.ingest.integration_messages import id_of, is_same, of_store, page, to_add
from services.ingest.integrations import Stored
from services.ingest.integrations_servicer import rotated

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def request(integration_id: str = "lumora-x", **fields: Any) -> pb.AddIntegrationRequest:
    given = {"kind": pb.INTEGRATION_KIND_WEBHOOK, "network": "x", **fields}
    return pb.AddIntegrationRequest(
        integration_id=integration_id, integration=pb.Integration(**given), secrets=["very secret"]
    )


def test_what_is_added_is_read_with_its_secrets() -> None:
    wanted = to_add(request(account="7", url="https://x.example", own_authors=["lumora"], settings={"a": "b"}), "t")
    assert (wanted.id, wanted.tenant, wanted.kind, wanted.account) == ("lumora-x", "t", "webhook", "7")
    assert (wanted.url, sorted(wanted.own_authors), dict(wanted.settings)) == (
        *("https://x.example", ["lumora"]),
        {"a": "b"},
    )
    assert wanted.secrets == ("plain:very secret",)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (request("Not an id"), "integration_id"),
        (request(kind=0), "integration.kind"),
        (request(kind=99), "integration.kind"),
        (request(url="ftp://x"), "integration.url"),
        (request(url="https://x.example/"), "integration.url"),
        (request(network=""), "integration"),
        (request(own_authors=["a"] * 101), "integration"),
        (request(account="a" * 4_097), "integration"),
    ],
)
def test_an_error_names_the_field_and_shows_no_secret(wrong: pb.AddIntegrationRequest, field: str) -> None:
    with pytest.raises(ApiError) as caught:
        to_add(wrong, "t")
    assert [name for name, _ in caught.value.violations] == [field]
    assert "very secret" not in caught.value.message


def test_too_many_secrets_are_named_and_not_shown() -> None:
    wrong = request()
    wrong.secrets.extend(["another", "third"])
    with pytest.raises(ApiError, match="secrets") as caught:
        to_add(wrong, "t")
    assert "very secret" not in caught.value.message


def test_nothing_of_a_secret_is_told() -> None:
    known = to_add(request(), "t")
    stored = Stored(known, (b"sealed one", b"sealed two"), b"sealed token", None, NOW, NOW)
    told = of_store(stored)
    assert (told.secret_count, told.has_verify_token) == (2, True)
    assert told.hook_path == "/v1/hooks/lumora-x"
    assert b"secret" not in told.SerializeToString()
    assert b"sealed" not in told.SerializeToString()


def test_the_same_again_is_the_same_and_another_is_not() -> None:
    first = to_add(request(account="7"), "t")
    built = Integration.model_construct(**dict(first))
    assert is_same(built, to_add(request(account="7"), "t"))
    assert not is_same(built, to_add(request(account="8"), "t"))
    changed = request(account="7")
    changed.secrets[0] = "another"
    assert not is_same(built, to_add(changed, "t"))


@pytest.mark.parametrize("name", ["", "lumora-x", "tenants/t/replies/r", "tenants/t/integrations/a/b"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ApiError, match=r"is not tenants/\{tenant\}"):
        id_of(name, "t")


def test_the_integration_of_another_tenant_does_not_exist() -> None:
    with pytest.raises(ApiError, match="There is no tenants/other/integrations/i"):
        id_of("tenants/other/integrations/i", "t")


def test_a_list_is_read_page_by_page() -> None:
    found = [pb.Integration(name=f"tenants/t/integrations/{number}") for number in (3, 1, 2)]
    first = page(found, 2, "")
    rest = page(found, 2, first.next_page_token)
    names = [each.name[-1] for each in (*first.integrations, *rest.integrations)]
    assert (names, rest.next_page_token) == (["1", "2", "3"], "")


@pytest.mark.parametrize(("size", "token"), [(-1, ""), (1, "nonsense")])
def test_a_page_that_is_none_is_refused(size: int, token: str) -> None:
    with pytest.raises(ApiError):
        page([], size, token)


@pytest.mark.parametrize(
    ("before", "secret", "drop", "after"),
    [
        (["a"], "b", False, ["b", "a"]),
        (["b", "a"], "c", False, ["c", "b"]),
        (["b", "a"], "b", False, ["b", "a"]),
        (["b", "a"], "", True, ["b"]),
        (["a"], "b", True, ["b"]),
        ([], "b", False, ["b"]),
    ],
)
def test_a_rotation_keeps_the_secret_before(before: list[str], secret: str, drop: bool, after: list[str]) -> None:  # noqa: FBT001
    assert rotated(before, secret, drop_previous=drop) == after
