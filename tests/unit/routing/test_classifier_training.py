import json
from pathlib import Path

import numpy as np
import pytest

from services.routing.classifier import WEIGHTS_PATH, Text
from services.routing.judgement import CATEGORY_OF, Category, Kind
from services.routing.model.datasets import CORPUS, Row, read_corpus, read_labels
from services.routing.model.fitting import quantise
from services.routing.model.learning import targets_of
from services.routing.model.rows import held_out, row_weights, varied
from services.routing.model.taught import Taught
from services.routing.model.train import train
from services.routing.outputs import DETAILS, KINDS
from services.routing.venues import Venue
from services.routing.weights import Weights


def row(kind: Kind, source: str = CORPUS, text: str = "is it open?") -> Row:
    category = CATEGORY_OF[kind]
    return Row(source, Text(text), "en", category, kind=kind, category=category)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_training_on_a_sample_gives_the_same_weights_every_time(tmp_path: Path) -> None:
    rows = read_corpus()[::40]
    scores = np.random.default_rng(3).normal(size=(200, len(KINDS) + len(DETAILS))).astype(np.float32)
    taught = Taught.of([each.text for each in rows[:200]], scores)

    first, second = train(rows, taught, epochs=1), train(rows, taught, epochs=1)

    assert first.model == second.model
    first.save(tmp_path / "first.npz")
    second.save(tmp_path / "second.npz")
    assert (tmp_path / "first.npz").read_bytes() == (tmp_path / "second.npz").read_bytes()


def test_shipped_weights_keep_their_name_through_saving(tmp_path: Path) -> None:
    weights = Weights.load(WEIGHTS_PATH)

    weights.save(tmp_path / "copy.npz")

    assert Weights.load(tmp_path / "copy.npz").model == weights.model
    assert WEIGHTS_PATH.stat().st_size <= 7_500_000


def test_weights_of_another_format_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", format=np.array(0))

    with pytest.raises(ValueError, match="format 5"):
        Weights.load(tmp_path / "other.npz")


def test_every_category_weighs_the_same_and_a_set_less_than_its_size() -> None:
    rows = [row(Kind.INFORMATION_REQUEST, "bank")] * 16 + [row(Kind.INFORMATION_REQUEST)] * 4
    rows += [row(Kind.PRAISE)] * 2 + [row(Kind.CHATTER), row(Kind.BUG_REPORT, "app")]

    weights = row_weights(rows)

    of_category = [sum(w for w, r in zip(weights, rows, strict=True) if r.category is each) for each in Category]
    assert of_category == pytest.approx([len(rows) / 4] * 4)
    assert weights[0] < weights[16]


def test_what_people_said_of_posts_is_read_and_weighs_like_the_corpus(tmp_path: Path) -> None:
    told = {"post": "tenants/acme/posts/1", "network": "instagram", "corrected_at": "2026-11-23T09:00:00+00:00"}
    lines = [
        {**told, "text": "bellissimo", "category": "feedback", "kind": "praise", "language": "it"},
        {**told, "text": "e il mio pacco", "category": "complaint", "kind": None, "language": None},
    ]
    (tmp_path / "labels.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")

    first, second = read_labels(tmp_path / "labels.jsonl")
    targets = targets_of([first, second], np.ones(2))

    assert (first.text, first.language) == (Text("bellissimo", venue=Venue.COMMENT), "it")
    assert targets.categories.argmax(axis=1).tolist() == [2, 1]
    assert targets.kinds.sum(axis=1).tolist() == [1.0, 0.0]
    weights = row_weights([first, row(Kind.PRAISE), *[row(Kind.PRAISE, "app")] * 9])
    assert weights[0] == weights[1] > weights[2]


def test_some_questions_lose_their_mark_and_always_the_same_ones() -> None:
    rows = [row(Kind.INFORMATION_REQUEST, text=f"is number {number} open?") for number in range(200)]

    unmarked = ["?" not in varied(each).text.text for each in rows]

    assert 25 <= sum(unmarked) <= 90
    assert unmarked == ["?" not in varied(each).text.text for each in rows]
    assert unmarked != ["?" not in varied(each, 1).text.text for each in rows]


def test_about_a_tenth_of_the_corpus_is_held_out() -> None:
    rows = read_corpus()

    assert 0.08 <= sum(held_out(each) for each in rows) / len(rows) <= 0.12


def test_the_corpus_is_large_and_holds_every_kind_and_language() -> None:
    rows = [each for each in read_corpus() if each.kind]

    assert len(rows) >= 5_000
    assert {each.kind for each in rows} == set(Kind) - {Kind.OWN}
    assert {each.language for each in rows} == {"de", "en", "es", "fr", "it", "pt"}
    assert len({(each.language, each.text.text) for each in rows}) == len(rows)


def test_quantised_weights_stay_close() -> None:
    table = np.random.default_rng(7).normal(size=(2_000, 4))

    small, scale = quantise(table, share_kept=1.0)

    assert np.abs(small * scale - table).max() <= scale / 2
