"""Cheap signals of a post beside its n-grams: punctuation, case, word classes, length, rating, reply, venue."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.routing.judgement import Text
from services.routing.lexicon import WORD_CLASSES
from services.routing.tokens import EMAIL_MASK, URL_MASK, Characters, Words
from services.routing.venues import Venue

Columns = dict[str, NDArray[np.float64]]

_MARKS = {
    "question_mark": "?¿",
    "exclamation_mark": "!¡",
    "url": URL_MASK,
    "email": EMAIL_MASK,
    "currency": "€$£",
    "quote": '"«“',
}
_REPEATED_MARKS = ("question_mark", "exclamation_mark")
_ENDING_CHARACTERS = 3
_NEGATION_REACH = 3
_NEGATABLE = ("positive", "negative", "problem")
_FEW_WORDS = 4
_SHOUTED_LETTERS = 6
_BITS = {name: np.uint32(1 << bit) for bit, name in enumerate(WORD_CLASSES)}


def signals_of(texts: Sequence[Text], characters: Characters, words: Words, classes: NDArray[np.uint32]) -> Columns:
    """Every signal by name, one value from 0 to 1 for each text. `classes` are those of the words."""
    marks = _marks(characters)
    lexical = _word_classes(words, classes, len(texts))
    return marks | _shape(characters, words) | lexical | _crossings(marks, lexical) | _known(texts)


def _marks(characters: Characters) -> Columns:
    columns: Columns = {}
    for name, marks in _MARKS.items():
        at = np.flatnonzero(np.logical_or.reduce([characters.codes == ord(mark) for mark in marks]))
        text = characters.text_at(at)
        counts = np.bincount(text, minlength=characters.texts)
        columns[name] = (counts > 0).astype(np.float64)
        if name in _REPEATED_MARKS:
            near_end = characters.starts[text + 1] - at <= _ENDING_CHARACTERS
            columns[f"many_{name}s"] = np.minimum(np.maximum(counts - 1, 0), 4) / 4
            columns[f"ends_with_{name}"] = _present(text[near_end], characters.texts)
    return columns


def _shape(characters: Characters, words: Words) -> Columns:
    """Case and shortness. Length as such is no signal: in the sets it tells the source, not what is wanted."""
    upper = np.bincount(characters.text_at(np.flatnonzero(characters.upper())), minlength=characters.texts)
    lengths = np.maximum(np.diff(characters.starts), 1)
    count = np.bincount(words.text, minlength=characters.texts)
    return {
        "shouting": np.where(upper >= _SHOUTED_LETTERS, upper / lengths, 0.0),
        "no_words": (count == 0).astype(np.float64),
        "one_word": (count == 1).astype(np.float64),
        "few_words": (count <= _FEW_WORDS).astype(np.float64),
    }


def _word_classes(words: Words, classes: NDArray[np.uint32], texts: int) -> Columns:
    """Presence and weight of each word class in the text, at its opening and at its end."""
    root = np.sqrt(np.maximum(np.bincount(words.text, minlength=texts), 1))
    last = words.last_of_texts()
    negated = _negated(words, classes)
    columns: Columns = {}
    for name, bit in _BITS.items():
        members = np.flatnonzero(classes & bit)
        opening, ending = members[words.opens_sentence[members]], last[classes[last] & bit != 0]
        columns[f"{name}_word"] = _present(words.text[members], texts)
        columns[f"{name}_words"] = _tally(words.text[members], root)
        columns[f"opens_with_{name}"] = _present(words.text[opening], texts)
        columns[f"ends_with_{name}"] = _present(words.text[ending], texts)
        if name in _NEGATABLE:
            columns[f"negated_{name}_words"] = _tally(words.text[members[negated[members]]], root)
    return columns


def _present(text: NDArray[np.int64], texts: int) -> NDArray[np.float64]:
    return (np.bincount(text, minlength=texts) > 0).astype(np.float64)


def _tally(text: NDArray[np.int64], root: NDArray[np.float64]) -> NDArray[np.float64]:
    """How often, by the root of the number of words; capped."""
    return np.minimum(np.bincount(text, minlength=root.size) / root, 2) / 2


def _negated(words: Words, classes: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Words with a negation a few words before them in the same text."""
    negation = classes & _BITS["negation"] != 0
    negated = np.zeros(classes.size, dtype=np.bool_)
    for distance in range(1, _NEGATION_REACH + 1):
        same_text = words.text[distance:] == words.text[:-distance]
        negated[distance:] |= negation[:-distance] & same_text
    return negated


def _crossings(marks: Columns, lexical: Columns) -> Columns:
    """What two signals say together and neither says alone."""
    praise = np.maximum(lexical["positive_words"] - lexical["negated_positive_words"], 0)
    blame = lexical["negative_words"] + lexical["problem_words"] + lexical["negated_positive_words"]
    total = praise + blame + 0.05
    question = marks["question_mark"]
    return {
        "only_praise": praise / total,
        "only_blame": blame / total,
        "mixed": np.minimum(praise, blame) / total,
        "neutral": ((praise == 0) & (blame == 0)).astype(np.float64),
        "asking_with_question_mark": lexical["asking_word"] * question,
        "asking_opens_without_question_mark": lexical["opens_with_asking"] * (1 - question),
        "blame_with_question_mark": (blame > 0) * question,
        "blame_with_you": (blame > 0) * lexical["you_word"],
        "neutral_with_question_mark": (blame == 0) * question,
    }


def _known(texts: Sequence[Text]) -> Columns:
    ratings = np.array([np.nan if text.rating is None else text.rating for text in texts], dtype=np.float64)
    return {
        **{f"venue_{venue}": np.array([text.venue is venue for text in texts], dtype=np.float64) for venue in Venue},
        "reply": np.array([text.reply for text in texts], dtype=np.float64),
        "rating_low": (ratings < 2.5).astype(np.float64),  # noqa: PLR2004 - stars
        "rating_middle": ((ratings >= 2.5) & (ratings <= 3.5)).astype(np.float64),  # noqa: PLR2004 - stars
        "rating_high": (ratings > 3.5).astype(np.float64),  # noqa: PLR2004 - stars
    }
