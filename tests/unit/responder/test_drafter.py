"""What the template drafter says: in the right language, from the right article, within the network's limit."""

import json
from pathlib import Path

import pytest

from services.responder.drafter import DraftRequest, TemplateDrafter, greeting_name
from services.responder.knowledge import load_articles
from services.responder.networks import limit_of
from services.responder.phrases import LANGUAGES, phrases, supported

ROOT = Path(__file__).parents[3]
WIFI = {
    "en": "Since update 3.2 my lamp is offline, no wifi at all",
    "it": "Dopo l'aggiornamento 3.2 la lampada è offline, niente Wi-Fi",
    "es": "Desde la actualización 3.2 la lámpara no tiene WiFi",
    "fr": "Depuis la mise à jour 3.2 la lampe n'a plus de Wi-Fi",
    "de": "Seit dem Update 3.2 findet die Lampe das WLAN nicht mehr",
    "pt": "Desde a atualização 3.2 o candeeiro está sem Wi-Fi",
}


@pytest.fixture(scope="module")
def drafter() -> TemplateDrafter:
    return TemplateDrafter(load_articles(ROOT / "knowledge"))


def request(text: str, **overrides: object) -> DraftRequest:
    values: dict[str, object] = {
        "tenant": "lumora",
        "network": "telegram",
        "kind": "PUBLIC_COMMENT",
        "complaint": True,
        "language": "en",
        "display_name": None,
        "texts": (text,),
    }
    return DraftRequest(**{**values, **overrides})  # type: ignore[arg-type]


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_answers_in_the_customers_language_from_an_article_in_it(drafter: TemplateDrafter, language: str) -> None:
    draft = drafter.draft(request(WIFI[language], language=language))
    evidence = draft.evidence[0]
    assert (draft.language, evidence.language, evidence.article) == (
        language,
        language,
        "articles/wifi-after-update-3-2",
    )
    assert evidence.passage in draft.text


def test_a_language_that_nobody_wrote_for_is_answered_in_english(drafter: TemplateDrafter) -> None:
    assert drafter.draft(request("Waar is mijn pakket?", language="nl")).language == "en"


def test_a_complaint_is_met_with_its_own_trouble_first(drafter: TemplateDrafter) -> None:
    text = drafter.draft(request("I was charged twice for Lumora Plus this month")).text
    assert text.startswith("Hello,\n\nYou should not have been charged for that. ")


def test_a_question_is_answered_and_not_apologised_for(drafter: TemplateDrafter) -> None:
    text = drafter.draft(request("Is Matter or HomeKit on the roadmap?", complaint=False)).text
    assert text.startswith("Hello,\n\nNot yet. Matter")


def test_where_no_article_helps_it_promises_a_persons_look(drafter: TemplateDrafter) -> None:
    draft = drafter.draft(request("Does the lamp attract moths?", complaint=False))
    assert phrases("en").look in draft.text
    assert draft.evidence == ()


@pytest.mark.parametrize(("kind", "private"), [("PUBLIC_POST", True), ("DIRECT_MESSAGE", False)])
def test_it_asks_for_personal_details_in_private_only(drafter: TemplateDrafter, kind: str, private: bool) -> None:  # noqa: FBT001
    text = drafter.draft(request("neighbour says no parcel, pick up point says no parcel", kind=kind)).text
    assert ("private message" in text) == private


def test_it_signs_as_the_team(drafter: TemplateDrafter) -> None:
    assert drafter.draft(request(WIFI["en"])).text.endswith(phrases("en").signature.format(brand="Lumora"))


@pytest.mark.parametrize("network", ["x", "google_play", "mastodon", "bluesky", "telegram", "web_chat"])
def test_no_draft_of_the_samples_is_longer_than_its_network_takes(drafter: TemplateDrafter, network: str) -> None:
    rows = [json.loads(line) for line in (ROOT / "samples" / "conversations.jsonl").read_text().splitlines()]
    said = [row for row in rows if row.get("text") and not row.get("own")]
    drafts = [drafter.draft(request(row["text"], network=network, language=row.get("language"))) for row in said]
    assert max(len(draft.text) for draft in drafts) <= limit_of(network)
    assert min(len(draft.text) for draft in drafts) > 40


@pytest.mark.parametrize(
    ("display_name", "name"),
    [
        ("Marta G.", "Marta"),
        ("Orsola 🌫️", "Orsola"),
        ("Anne-Marie O'Neill", "Anne-Marie"),
        ("Ysolde de la", "Ysolde"),
        ("Guest", None),
        ("Ospite", None),
        ("Work From Home 💸", None),
        ("The Lamp Shop", None),
        ("ACME", None),
        ("xX_dragon_Xx", None),
        ("user8213", None),
        ("@kate", None),
        ("", None),
        (None, None),
    ],
)
def test_it_greets_by_what_looks_like_a_name(display_name: str | None, name: str | None) -> None:
    assert greeting_name(display_name) == name


@pytest.mark.parametrize(
    ("given", "spoken"), [("de-AT", "de"), ("pt_BR", "pt"), ("IT", "it"), ("zh", "en"), ("", "en"), (None, "en")]
)
def test_a_regional_language_is_spoken_as_its_own(given: str | None, spoken: str) -> None:
    assert supported(given) == spoken


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_knows_the_same_troubles(language: str) -> None:
    assert set(phrases(language).problems) == set(phrases("en").problems)
