"""What people say in the tests: conversations with edits, deletions and repeats, the same for the same seed."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

Change = Literal["created", "edited", "deleted"]

COMPLAINTS: Final = {
    "en": "My lamp arrived broken and nobody answers me. I want my money back!",
    "it": "La lampada è arrivata rotta e nessuno mi risponde. Voglio il rimborso!",
    "es": "La lámpara llegó rota y nadie me responde. ¡Quiero que me devuelvan el dinero!",
    "fr": "La lampe est arrivée cassée et personne ne me répond. Je veux être remboursé !",
    "de": "Die Lampe kam kaputt an und niemand antwortet mir. Ich will mein Geld zurück!",
    "pt": "O candeeiro chegou partido e ninguém me responde. Quero o meu dinheiro de volta!",
}
QUESTIONS: Final = {
    "en": "How do I return an order, and how long does the refund take?",
    "it": "Come posso restituire un ordine e quanto tempo ci vuole per il rimborso?",
    "es": "¿Cómo puedo devolver un pedido y cuánto tarda el reembolso?",
    "fr": "Comment retourner une commande et combien de temps prend le remboursement ?",
    "de": "Wie kann ich eine Bestellung zurückgeben und wie lange dauert die Erstattung?",
    "pt": "Como posso devolver uma encomenda e quanto tempo demora o reembolso?",
}
REMARKS: Final = {
    "en": "It would be great if the lamp came in green as well, I love the design.",
    "it": "Sarebbe bello se la lampada esistesse anche in verde, adoro il design.",
    "es": "Sería genial que la lámpara viniera también en verde, me encanta el diseño.",
    "fr": "Ce serait super si la lampe existait aussi en vert, j'adore le design.",
    "de": "Es wäre toll, wenn es die Lampe auch in Grün gäbe, ich liebe das Design.",
    "pt": "Seria ótimo se o candeeiro existisse também em verde, adoro o design.",
}
CHATTER: Final = {"en": "ok", "it": "ciao a tutti", "es": "jajaja", "fr": "mdr", "de": "hallo", "pt": "bom dia"}
OPENINGS: Final = (COMPLAINTS, QUESTIONS, REMARKS, CHATTER)


@dataclass(frozen=True, slots=True)
class Saying:
    """One change of one post, as the data of a webhook."""

    change: Change
    post: dict[str, Any]

    @property
    def native_id(self) -> str:
        return str(self.post["native_id"])

    @property
    def revision(self) -> int:
        return int(self.post.get("revision", 1))


def question(native_id: str, language: str = "en") -> Saying:
    """A single question that starts a conversation."""
    return Saying("created", _post(native_id, native_id, "visitor", QUESTIONS[language], language))


def complaint(native_id: str, language: str = "en") -> Saying:
    """A single complaint that starts a conversation."""
    return Saying("created", _post(native_id, native_id, "visitor", COMPLAINTS[language], language))


def chatter(native_id: str, language: str = "en") -> Saying:
    """A single post that no model takes for a question."""
    return Saying("created", _post(native_id, native_id, "visitor", CHATTER[language], language))


def conversations(seed: int) -> Iterator[list[Saying]]:
    """Conversations without end, of 1 to 6 posts each; each list is told in its order."""
    chance = random.Random(seed)
    number = 0
    while True:
        number += 1
        yield list(_conversation(chance, f"{seed}-{number}"))


def _conversation(chance: random.Random, thread: str) -> Iterator[Saying]:
    language = chance.choice(list(COMPLAINTS))
    author = f"person-{chance.randrange(10_000)}"
    for index in range(chance.choices(range(1, 7), weights=(8, 4, 2, 2, 1, 1))[0]):
        native_id = f"{thread}-{index}"
        text = chance.choice(OPENINGS)[language]
        own = index > 0 and chance.random() < 0.1
        post = _post(native_id, f"{thread}-0", author, text, language) | ({"own": True} if own else {})
        yield Saying("created", post)
        if chance.random() < 0.1:
            yield Saying("edited", post | {"text": f"{text} !", "revision": 2})
        if chance.random() < 0.05:
            yield Saying("deleted", {"kind": post["kind"], "native_id": native_id, "native_thread_id": f"{thread}-0"})


def _post(native_id: str, thread: str, author: str, text: str, language: str) -> dict[str, Any]:
    return {
        "kind": "public_comment",
        "native_id": native_id,
        "native_thread_id": thread,
        "author": {"id": author, "handle": author},
        "text": text,
        "language": language,
        "create_time": (datetime.now(UTC) - timedelta(seconds=1)).isoformat(),
    }
