"""Whose words are whose in a mail, in the languages and forms of mail programs."""

import pytest

from services.ingest.connectors._quoting import own_words

ATTRIBUTIONS = [
    "On Thu, Aug 19, 2026 at 2:07 PM Lumora <help@lumora.example> wrote:",
    "On Thu, Aug 19, 2026 at 2:07 PM Lumora Customer Care <\nhelp@lumora.example> wrote:",
    "Lumora <help@lumora.example> wrote:",
    "Il giorno gio 19 ago 2026 alle ore 14:07 Lumora <help@lumora.example> ha scritto:",
    "Il 19/08/2026 14:07, Lumora ha scritto:",
    "El jue, 19 ago 2026 a las 14:07, Lumora (<help@lumora.example>) escribió:",
    "Le jeu. 19 août 2026 à 14:07, Lumora <help@lumora.example> a écrit\xa0:",
    "Am Do., 19. Aug. 2026 um 14:07 Uhr schrieb Lumora <help@lumora.example>:",
    "Em qui., 19 de ago. de 2026 às 14:07, Lumora <help@lumora.example> escreveu:",
    "Op do 19 aug. 2026 om 14:07 schreef Lumora <help@lumora.example>:",
    "Den tors 19 aug. 2026 kl 14:07 skrev Lumora <help@lumora.example>:",
    "W dniu czw., 19 sie 2026 o 14:07 Lumora <help@lumora.example> napisał(a):",
    "Lumora <help@lumora.example> 于2026年8月19日周四 下午2:07写道：",  # noqa: RUF001 - as Gmail writes it
    "2026年8月19日(木) 14:07 Lumora <help@lumora.example>:",
    "-----Original Message-----",
    "-------- Messaggio originale --------",
    "From: Lumora\nSent: Thursday, August 19, 2026 2:07 PM\nTo: Marta\nSubject: Your lamp",
    "Da: Lumora <help@lumora.example>\nInviato: giovedì 19 agosto 2026 14:07\nA: Marta\nOggetto: La lampada",
    "*De:* Lumora\n*Enviado:* jueves, 19 de agosto de 2026\n*Para:* Marta\n*Asunto:* Su lámpara",
    "De : Lumora\nEnvoyé : jeudi 19 août 2026\nÀ : Marta\nObjet : Votre lampe",
    "Von: Lumora\nGesendet: Donnerstag, 19. August 2026\nAn: Marta\nBetreff: Ihre Lampe",
    "De: Lumora\nEnviada em: quinta-feira, 19 de agosto de 2026\nPara: Marta\nAssunto: Sua luminária",
    "##- Please type your reply above this line -##",
]


@pytest.mark.parametrize("attribution", ATTRIBUTIONS)
@pytest.mark.parametrize("quoted", ["> Is it the blue one?", "Is it the blue one?"])
def test_what_is_answered_is_stripped(attribution: str, quoted: str) -> None:
    assert own_words(f"It is still broken.\n\n{attribution}\n\n{quoted}\n") == "It is still broken."


def test_answers_between_and_below_quotes_are_kept() -> None:
    text = "On 19 Aug 2026 at 14:07 Lumora wrote:\n> Which one?\nThe blue one.\n> Since when?\nMonday."
    assert own_words(text) == "The blue one.\nMonday."


@pytest.mark.parametrize(
    "signature",
    [
        "-- \nMarta Rossi\nLamp Street 7",
        "--\nMarta",
        "Sent from my iPhone",
        "Inviato da iPhone",
        "Enviado desde mi móvil",
        "Envoyé de mon iPhone",
        "Von meinem iPhone gesendet",
        "Enviado do meu iPhone",
        "Get Outlook for iOS\n________________________________",
    ],
)
def test_a_signature_is_stripped(signature: str) -> None:
    assert own_words(f"It is still broken.\n\n{signature}\n") == "It is still broken."


@pytest.mark.parametrize(
    "text",
    [
        "Hello,\nThank you, but the lamp is still broken.\nBest regards\nMarta",
        "These are broken:\n- the blue lamp\n- the red lamp",
        "On Monday 3 August I wrote to you:\nno answer.",
        "The box said: do not open.\nFrom: Italy\nI bought it on Monday.",
        "Sent it back from my office.\nNo answer since.",
        "> only a quote",
        "Il 3 maggio ho scritto: niente.",
        "One part\n--\n" + "\n".join(f"line {number}" for number in range(30)),
        "---------- Forwarded message ---------\nFrom: Shop\nDate: Monday\nSubject: Order\nTo: Marta\n\n> Thanks",
        "From: Marta\nSubject: Lamp\nTo: Lumora\n\nA contact form.",
    ],
)
def test_in_doubt_words_are_kept(text: str) -> None:
    assert own_words(text) == text
