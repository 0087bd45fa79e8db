"""The table says what was reached and what was not."""

from io import StringIO

from rich.console import Console

from bench.comparison import Comparison, Target
from bench.measurement import Measurement
from bench.result import Compared

COMPARISON = Comparison("ours", {"ours": [Measurement(1_200, 1.0, 0.6)], "theirs": [Measurement(1_000, 1.0, 1.0)]})
RESULT = Compared(
    "Speed", "posts", COMPARISON, {"ours": "we", "theirs": "they"}, [Target("theirs", 1.1), Target("theirs", 1.5)]
)


def _shown() -> str:
    console = Console(width=110, record=True, file=StringIO())
    console.print(RESULT.tables())
    return console.export_text()


def test_the_table_shows_rate_price_and_ratios() -> None:
    text = _shown()
    assert "1,200" in text
    assert "1.20 (1.20..1.20)" in text
    assert "0.50 (0.50..0.50)" in text


def test_each_target_is_met_or_missed() -> None:
    text = _shown()
    assert "at least 1.1 x they: 1.20 x, met" in text
    assert "at least 1.5 x they: 1.20 x, missed" in text


def test_the_figures_hold_every_round_and_every_target() -> None:
    figures = RESULT.figures()
    assert figures["rounds"]["ours"] == [{"items": 1_200, "seconds": 1.0, "cpu_seconds": 0.6}]
    assert [target["met"] for target in figures["targets"]] == [True, False]
