"""Who is watched over: everybody that nobody fetches."""

from contracts.integrations import Integration
from services.ingest.fetching.coverage import Reason
from services.ingest.registry import Resting
from services.ingest.sources import build_sources
from services.ingest.vigil import charges


def account(name: str, kind: str, network: str | None) -> Integration:
    secrets = ["plain:s"] if kind == "webhook" else []
    return Integration.model_validate(
        {"id": name, "tenant": "acme", "kind": kind, "network": network, "secrets": secrets}
    )


HOOK, FEED = account("hook", "webhook", "telegram"), account("feed", "poll", "rss_atom")
OFF, FILES = account("off", "poll", "rss_atom"), account("files", "import", None)


def test_who_delivers_rests_or_cannot_be_fetched_is_watched_over_and_who_is_fetched_is_not() -> None:
    present = build_sources({each.id: each for each in (HOOK, FEED, FILES)}, bytes(32))
    resting = Resting(OFF, Reason.DISABLED, None)
    found = charges(present, {"off": resting, "files": Resting(FILES, Reason.DISABLED, None)})
    assert {name: each.resting for name, each in found.items()} == {"hook": None, "off": resting}


def test_who_cannot_be_fetched_is_a_gap_that_people_must_mend() -> None:
    present = build_sources({"feed": FEED}, bytes(32))
    (charge,) = charges(present, {}, {"feed": FEED}).values()
    assert charge.resting == Resting(FEED, Reason.UNUSABLE, None)
