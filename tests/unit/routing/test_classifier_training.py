from pathlib import Path

import numpy as np
import pytest

from services.routing.classifier import WEIGHTS_PATH, Text
from services.routing.model.category_training import row_weights, varied
from services.routing.model.datasets import CORPUS, Row, read_corpus
from services.routing.model.fitting import quantise
from services.routing.model.train import train
from services.routing.weights import Weights


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_training_on_a_sample_gives_the_same_weights_every_time(tmp_path: Path) -> None:
    rows = read_corpus()[::12]

    first, second = train(rows), train(rows)

    assert first.model == second.model
    first.save(tmp_path / "first.npz")
    second.save(tmp_path / "second.npz")
    assert (tmp_path / "first.npz").read_bytes() == (tmp_path / "second.npz").read_bytes()


def test_shipped_weights_keep_their_name_through_saving(tmp_path: Path) -> None:
    weights = Weights.load(WEIGHTS_PATH)

    weights.save(tmp_path / "copy.npz")

    assert Weights.load(tmp_path / "copy.npz").model == weights.model
    assert WEIGHTS_PATH.stat().st_size <= 6_000_000


def test_weights_of_another_format_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", format=np.array(0))

    with pytest.raises(ValueError, match="format 1"):
        Weights.load(tmp_path / "other.npz")


def test_every_category_weighs_the_same_and_the_corpus_has_its_share() -> None:
    labels = np.array(["question"] * 9 + ["complaint"] * 3 + ["feedback", "other"])
    sources = np.array(["bank"] * 8 + [CORPUS] + ["shop"] * 3 + [CORPUS] * 2)

    weights = row_weights(labels, sources)

    assert [weights[labels == label].sum() for label in ("question", "complaint", "other")] == pytest.approx([3.5] * 3)
    assert weights[8] == pytest.approx(3.5 * 0.7)


def test_some_questions_lose_their_mark_and_always_the_same_ones() -> None:
    rows = [Row(CORPUS, Text(f"is number {number} open?"), "en", "question") for number in range(200)]

    unmarked = ["?" not in varied(row).text.text for row in rows]

    assert 30 <= sum(unmarked) <= 110
    assert unmarked == ["?" not in varied(row).text.text for row in rows]


def test_quantised_weights_stay_close() -> None:
    table = np.random.default_rng(7).normal(size=(2_000, 4))

    small, scale = quantise(table, share_kept=1.0)

    assert np.abs(small * scale - table).max() <= scale / 2
