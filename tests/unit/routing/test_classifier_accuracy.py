"""Floors under the shipped weights on real text, each set for itself; the figures stand in docs/classifier.md."""

from pathlib import Path

import pytest

from services.routing.classifier import Cascade
from services.routing.model.datasets import SHIP_SETS, read_corpus, read_set
from services.routing.model.evaluate import figures, mix_of, with_mix

DATA = Path(__file__).parents[4] / "shared" / "data"
CLASSIFIER = Cascade.load()
FLOORS = {
    "minibar_app_reviews": 0.85,
    "banking77": 0.95,
    "reclameaqui_pt": 0.95,
    "amazon_product_questions": 0.95,
    "semeval19_suggestions": 0.92,
    "absita18_it": 0.77,
    "airline_tweets": 0.75,
    "ilisten_it": 0.77,
    "sentipolc16_it": 0.83,
    "multiemotions_it": 0.79,
    "germeval17_de": 0.68,
}
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"the public sets are not at {DATA}")


@needs_data
@pytest.mark.parametrize(("name", "floor"), FLOORS.items())
def test_accuracy_without_abstention(name: str, floor: float) -> None:
    rows = [row for row in read_set(DATA, name, "dev") if row.label]

    assert figures(CLASSIFIER, rows).accuracy >= floor


@needs_data
@pytest.mark.parametrize("name", ["airline_tweets", "absita18_it", "minibar_app_reviews", "ilisten_it"])
def test_abstention_leaves_the_better_part(name: str) -> None:
    rows = [row for row in read_set(DATA, name, "dev") if row.label]

    result = figures(CLASSIFIER, rows)

    assert result.coverage >= 0.4
    assert result.assigned_accuracy > result.accuracy


@needs_data
@pytest.mark.parametrize(("name", "floor"), [("airline_tweets", 0.78), ("germeval17_de", 0.78), ("absita18_it", 0.75)])
def test_accuracy_under_the_mix_that_other_texts_of_the_stream_teach(name: str, floor: float) -> None:
    mix = mix_of(CLASSIFIER, DATA, name, "dev")
    assert mix is not None
    rows = [with_mix(row, mix) for row in read_set(DATA, name, "dev") if row.label]

    assert figures(CLASSIFIER, rows).accuracy >= floor


@needs_data
def test_a_set_that_is_too_small_teaches_no_mix() -> None:
    assert mix_of(CLASSIFIER, DATA, "reviewed_it_brand_comments", "dev") is None


@needs_data
def test_languages_of_text_that_was_not_trained_on() -> None:
    rows = [row for row in read_set(DATA, "umsab_tweets", "dev") if len(row.text.text) >= 40]

    judgements = CLASSIFIER.classify([row.text for row in rows])

    known = [
        (judgement.language, row.language)
        for judgement, row in zip(judgements, rows, strict=True)
        if judgement.language
    ]
    assert len(known) / len(rows) >= 0.8
    assert sum(guess == truth for guess, truth in known) / len(known) >= 0.95


def test_the_corpus_has_every_category_in_every_language_and_no_text_twice() -> None:
    rows = [row for row in read_corpus() if row.label]

    kinds = {(row.language, row.label) for row in rows}
    assert len(kinds) == 6 * 4
    assert len({(row.language, row.text.text.casefold()) for row in rows}) == len(rows)


def test_no_set_that_may_only_judge_is_trained_on() -> None:
    assert not {"airline_tweets", "absita18_it", "multiemotions_it", "umsab_tweets"} & set(SHIP_SETS)
