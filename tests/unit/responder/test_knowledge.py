"""Articles: how they are read, what is wrong with a bad one, and which one is found."""

from pathlib import Path

import pytest

from services.responder.knowledge import Article, KnowledgeError, Library, load_articles, parse_article
from services.responder.words import fit, sentences, terms

ARTICLE = """+++
id = "refunds"
title = "Refunds"
language = "en"
keywords = ["refund", "money back"]
+++
We refund within five days.
It takes a while.

Returns are free.
"""


def article(name: str, text: str, *keywords: str) -> Article:
    return Article(name, name, "en", keywords, tuple(text.split("\n\n")), "hash")


def test_an_article_is_read_with_its_paragraphs_on_one_line_each() -> None:
    read = parse_article(ARTICLE, "refunds.en.md")
    assert (read.id, read.keywords) == ("refunds", ("refund", "money back"))
    assert read.paragraphs == ("We refund within five days. It takes a while.", "Returns are free.")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("no front matter", "does not begin with front matter"),
        ("+++\nid = \n+++\ntext", "is no TOML"),
        ("+++\nid = 'x'\n+++\ntext", "title is missing"),
        (ARTICLE.partition("We refund")[0], "has no text"),
    ],
)
def test_a_bad_article_is_named_with_what_is_wrong(text: str, complaint: str) -> None:
    with pytest.raises(KnowledgeError, match=rf"bad\.en\.md.*{complaint}"):
        parse_article(text, "bad.en.md")


def test_two_articles_of_the_same_id_and_language_are_refused(tmp_path: Path) -> None:
    for name in ("a.en.md", "b.en.md"):
        (tmp_path / name).write_text(ARTICLE)
    with pytest.raises(KnowledgeError, match=r"refunds\.en"):
        load_articles(tmp_path)


def test_a_missing_directory_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="KNOWLEDGE_DIR"):
        load_articles(tmp_path / "nowhere")


LIBRARY = Library(
    [
        article("refunds", "We return your money.\n\nThe bank takes three days.\n\nLabels are free.", "refund"),
        article("delivery", "Parcels take three days.", "parcel", "delivery"),
        article("wifi", "Restart the lamp.", "wifi", "offline"),
        article("plus", "Cancel any time.", "subscription"),
    ]
)


def test_the_best_article_is_found_whatever_the_inflection() -> None:
    found = LIBRARY.find("When are refunded parcels REFUNDED? My réfund!", floor=0.5)
    assert found is not None
    assert found.article.id == "refunds"


def test_what_shares_no_word_with_an_articles_head_finds_nothing() -> None:
    assert LIBRARY.find("restart the bank", floor=0.0) is None


def test_the_first_paragraph_stays_first_and_the_others_follow_by_fit() -> None:
    found = LIBRARY.find("refund label", floor=0.5)
    assert found is not None
    assert found.paragraphs == ("We return your money.", "Labels are free.")


def test_terms_fold_case_accents_and_endings() -> None:
    assert terms("Rimborsata") == terms("RIMBÒRSO")
    assert terms("Wi-Fi 3.2") == ["wifi", "3.2"]


def test_sentences_do_not_end_inside_numbers() -> None:
    assert sentences("Version 3.2 is out. It costs 4.99 a month. ¿Sí?") == [
        "Version 3.2 is out.",
        "It costs 4.99 a month.",
        "¿Sí?",
    ]


def test_fitting_keeps_whole_parts() -> None:
    assert fit(["One.", "Two.", "Three."], 9) == "One. Two."
