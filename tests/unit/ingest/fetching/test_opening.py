"""From an integration as people configure it to what fetches it."""

import pytest

from contracts.integrations import Integration
from services.ingest.connector import Account
from services.ingest.fetching.networks import fetchers
from services.ingest.fetching.opening import connection_of, fetched
from services.ingest.fetching.source import Connection, InvalidConnection, seconds
from services.ingest.normalizer import Normalizer


def integration(name: str = "acme-mail", **fields: object) -> Integration:
    return Integration.model_validate({"id": name, "tenant": "acme", "kind": "mailbox", "network": "email", **fields})


def test_a_connection_holds_the_account_the_newest_secret_and_the_settings() -> None:
    known = integration(
        account="desk", url="https://mail.example", secrets=["plain:new", "plain:old"], settings={"user": "desk"}
    )
    account = Account("desk", "https://mail.example")
    assert connection_of(known) == Connection("acme-mail", "acme", "email", account, "new", {"user": "desk"})


def test_a_secret_is_never_shown() -> None:
    assert "hidden" not in repr(connection_of(integration(secrets=["plain:hidden"])))


def test_a_secret_that_is_not_there_is_named() -> None:
    with pytest.raises(InvalidConnection, match=r"acme-mail: secrets: .*NO_SUCH_VARIABLE"):
        connection_of(integration(secrets=["env:NO_SUCH_VARIABLE"]))


def test_only_what_does_not_come_by_itself_is_fetched() -> None:
    import_ = Integration(id="acme-import", tenant="acme", kind="import")
    every = {each.id: Normalizer(each, b"k" * 32) for each in (integration(), import_)}
    assert list(fetched(every)) == ["acme-mail"]


@pytest.mark.parametrize("given", ["0", "-1", "soon", "nan", "inf"])
def test_a_time_that_is_none_is_refused(given: str) -> None:
    known = connection_of(integration(settings={"every_seconds": given}))
    with pytest.raises(InvalidConnection, match="every_seconds must be a number of seconds, such as 600"):
        seconds(known, 600.0)


def test_every_fetcher_is_found_under_its_network() -> None:
    assert {"apple_app_store", "bluesky", "email", "google_play", "mastodon", "reddit"} <= set(fetchers())
