import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.routing.features import extract
from services.routing.judgement import Text
from services.routing.lexicon import Lexicon
from services.routing.ngrams import TABLE_SIZE
from services.routing.tokens import MAX_CHARACTERS, read, split
from services.routing.venues import Venue

LEXICON = Lexicon.compile({"negation": ["not", "don't"], "positive": ["good", "recomm*"], "asking": ["how"]})
any_text = st.text(st.characters(codec=None), max_size=300)


def words_of(text: str) -> list[str]:
    words = split(read([text]))
    return words.spell(np.arange(words.text.size))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("L'HÔTEL è così bello", ["l", "hotel", "e", "cosi", "bello"]),
        ("I don't know, isn\u2019t it?", ["i", "dont", "know", "isnt", "it"]),
        ("sooooo goooood", ["soo", "good"]),
        ("call 0800 123", ["call", "0", "0"]),
        ("ciao😍😍👍ok", ["ciao", "😍", "👍", "ok"]),
        ("👍🏽 ❤️", ["👍", "❤"]),
        ("@brand see https://x.example/a?b=1 now", ["see", "now"]),
        ("<url> <num> <email>", ["0"]),
        ("perche\u0301 Año", ["perche", "año"]),
        ("\ud800a\x00b", ["a", "b"]),
        ("", []),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert words_of(text) == words


def test_sentences_open_after_their_ends() -> None:
    words = split(read(["One two. Three? four", "five"]))

    assert words.opens_sentence.tolist() == [True, False, True, True, True]


@given(st.lists(any_text, max_size=4))
@settings(max_examples=50)
def test_any_text_gives_bounded_finite_features(batch: list[str]) -> None:
    features = extract([Text(text) for text in batch], LEXICON)

    for group in features.groups:
        assert group.columns.size <= 6 * sum(len(text) for text in batch)
        assert ((group.columns >= 0) & (group.columns < TABLE_SIZE)).all()
        assert group.starts.size == len(batch) + 1
    for name, column in features.signals.items():
        assert ((column >= 0) & (column <= 1)).all(), name


@given(st.lists(any_text, min_size=1, max_size=4))
@settings(max_examples=50)
def test_features_of_a_text_do_not_depend_on_its_neighbours(batch: list[str]) -> None:
    together = extract([Text(text) for text in batch], LEXICON)
    alone = extract([Text(batch[-1])], LEXICON)

    for group, own in zip(together.groups, alone.groups, strict=True):
        assert sorted(group.columns[group.starts[-2] :]) == sorted(own.columns)
    for name, column in together.signals.items():
        assert column[-1] == alone.signals[name][0], name


def test_characters_beyond_the_cap_are_not_read() -> None:
    assert read(["a" * 100_000]).codes.size == MAX_CHARACTERS


@pytest.mark.parametrize(
    ("text", "signal", "value"),
    [
        ("Is it open?", "question_mark", 1.0),
        ("Is it open? Tell me soon", "ends_with_question_mark", 0.0),
        ("how does it work", "opens_with_asking", 1.0),
        ("I would recommend it", "positive_word", 1.0),
        ("recom", "positive_word", 0.0),
        ("thanks", "one_word", 1.0),
        ("quiet words", "shouting", 0.0),
    ],
)
def test_signals(text: str, signal: str, value: float) -> None:
    assert extract([Text(text)], LEXICON).signals[signal][0] == value


def test_negation_reaches_a_few_words_and_never_the_next_text() -> None:
    batch = [Text("not so good"), Text("good but do not"), Text("good"), Text("not one two three good")]

    signals = extract(batch, LEXICON).signals

    assert (signals["negated_positive_words"] > 0).tolist() == [True, False, False, False]


def test_signals_know_the_stars_and_the_thread() -> None:
    signals = extract([Text("x", rating=1.0), Text("x", rating=5.0, reply=True), Text("x")], LEXICON).signals

    assert signals["rating_low"].tolist() == [1, 0, 0]
    assert signals["rating_high"].tolist() == [0, 1, 0]
    assert signals["reply"].tolist() == [0, 1, 0]


def test_signals_know_the_venue() -> None:
    signals = extract([Text("x", venue=Venue.CHAT), Text("x")], LEXICON).signals

    assert {name: column.tolist() for name, column in signals.items() if column.any() and "venue" in name} == {
        "venue_chat": [1, 0]
    }


@pytest.mark.parametrize("entry", ["two words", "", "*", "no*", "intermediate*"])
def test_a_lexicon_refuses_an_entry_that_could_never_match(entry: str) -> None:
    with pytest.raises(ValueError, match="must be one word"):
        Lexicon.compile({"positive": [entry]})
