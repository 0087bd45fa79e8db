import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.routing.classifier import Cascade, Category, Text
from services.routing.judgement import CATEGORY_OF
from services.routing.venues import Venue

CLASSIFIER = Cascade.load()
CLEAR = [
    (Category.QUESTION, "en", "Do you have gluten free pizza on the menu?"),
    (Category.QUESTION, "en", "how can i change my email address"),
    (Category.QUESTION, "it", "Quanto costa spedire un pacco in Germania?"),
    (Category.QUESTION, "es", "¿Tienen opciones veganas en el menú?"),
    (Category.QUESTION, "fr", "Combien coûte l'envoi d'un colis en Allemagne ?"),
    (Category.QUESTION, "de", "Was kostet der Versand nach Italien?"),
    (Category.QUESTION, "pt", "Quanto custa enviar um pacote para a Alemanha?"),
    (Category.COMPLAINT, "en", "My package arrived broken and nobody answers my emails"),
    (Category.COMPLAINT, "it", "Due ore di attesa per un tavolo prenotato, servizio pessimo!"),
    (Category.COMPLAINT, "es", "El paquete llegó roto y nadie responde a mis correos"),
    (Category.COMPLAINT, "fr", "Deux heures d'attente pour une table réservée, service déplorable !"),
    (Category.COMPLAINT, "de", "Das Paket kam kaputt an und niemand antwortet auf meine Mails"),
    (Category.COMPLAINT, "pt", "O pacote chegou quebrado e ninguém responde aos meus e-mails"),
    (Category.FEEDBACK, "en", "I absolutely love this coffee, best in town"),
    (Category.FEEDBACK, "it", "Sarebbe bello avere una modalità notturna"),
    (Category.FEEDBACK, "es", "Me encanta este café, el mejor de la ciudad"),
    (Category.FEEDBACK, "fr", "Ce serait bien d'avoir un mode nuit"),
    (Category.FEEDBACK, "de", "Ich liebe diesen Kaffee, der beste der Stadt"),
    (Category.FEEDBACK, "pt", "Adoro este café, o melhor da cidade"),
]
texts = st.builds(
    Text,
    text=st.text(st.characters(codec=None), max_size=200),
    language=st.none() | st.text(max_size=8),
    rating=st.none() | st.floats(1, 5),
    reply=st.booleans(),
    venue=st.none() | st.sampled_from(Venue),
)


@pytest.mark.parametrize(("category", "language", "text"), CLEAR)
def test_a_clear_post_is_understood_in_each_language(category: Category, language: str, text: str) -> None:
    [judgement] = CLASSIFIER.classify([Text(text)])

    assert (judgement.category, judgement.abstained, judgement.language) == (category, False, language)
    assert CATEGORY_OF[judgement.kind] is category


@pytest.mark.parametrize(
    "text", ["", "zxzxzxzx", "asdkjh qwe zxc", "blorp fnarg wibble", "\x00\x01", "@someone https://x.example"]
)
def test_what_says_nothing_is_left_to_a_person(text: str) -> None:
    [judgement] = CLASSIFIER.classify([Text(text)])

    assert judgement.abstained
    assert judgement.language is None


@given(st.lists(texts, max_size=5))
@settings(max_examples=50)
def test_a_judgement_does_not_depend_on_the_batch(batch: list[Text]) -> None:
    together = CLASSIFIER.classify(batch)

    assert together == [CLASSIFIER.classify([text])[0] for text in batch]


@given(texts)
@settings(max_examples=50)
def test_any_text_gets_probabilities_that_sum_to_one_and_few_reasons(text: Text) -> None:
    [judgement] = CLASSIFIER.classify([text])

    assert math.isclose(sum(judgement.probabilities.values()), 1.0, abs_tol=1e-9)
    assert judgement.category == max(judgement.probabilities, key=judgement.probabilities.__getitem__)
    assert len(judgement.reasons) <= 5


@pytest.mark.parametrize("unit", ["a", "a ", "?", "😀", "@x ", "www.", "\u0301", "不"])
def test_a_huge_text_is_judged_by_its_beginning(unit: str) -> None:
    huge = unit * 100_000

    assert CLASSIFIER.classify([Text(huge)]) == CLASSIFIER.classify([Text(huge[:4_000])])


@pytest.mark.parametrize(
    "text", ["Mijn pakket is nooit aangekomen", "Paczka nigdy nie dotarła", "商品がまだ届きません"]
)
def test_a_language_that_was_not_learnt_is_left_to_a_person(text: str) -> None:
    assert CLASSIFIER.classify([Text(text)])[0].abstained


def test_no_texts_give_no_judgements() -> None:
    assert CLASSIFIER.classify([]) == []


@pytest.mark.parametrize(("hint", "language"), [("pt-BR", "pt"), ("nl", "nl"), ("und", "en"), ("", "en"), ("?!", "en")])
def test_the_networks_language_wins_where_it_gives_one(hint: str, language: str) -> None:
    [judgement] = CLASSIFIER.classify([Text("how can i change my email address", language=hint)])

    assert judgement.language == language


@pytest.mark.parametrize(
    "text", ["Wanneer gaat mijn pakket eindelijk komen?", "когда откроется магазин", "ok", "😀😀😀"]
)
def test_other_languages_and_too_little_text_have_no_language(text: str) -> None:
    assert CLASSIFIER.classify([Text(text)])[0].language is None


def test_reasons_name_what_spoke_for_the_category() -> None:
    [judgement] = CLASSIFIER.classify([Text("still waiting for my refund, terrible service")])

    assert judgement.category is Category.COMPLAINT
    assert any(reason.startswith("signal:") for reason in judgement.reasons)
    assert {"word:waiting", "word:refund", "word:service"} & set(judgement.reasons)


def test_few_stars_make_a_complaint_likelier() -> None:
    plain, low = CLASSIFIER.classify([Text("the new version"), Text("the new version", rating=1.0)])

    assert low.probabilities[Category.COMPLAINT] > plain.probabilities[Category.COMPLAINT]


def test_the_model_is_named_by_its_content() -> None:
    assert CLASSIFIER.model.startswith("models/cascade@5+")
    assert CLASSIFIER.classify([Text("hello")])[0].model == CLASSIFIER.model
