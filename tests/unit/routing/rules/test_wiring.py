"""Where rules meet the hot path: what is written carries what is to be done; without the folder nothing starts."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pytest

from ascolto.classification.v1 import classification_pb2 as pb
from ascolto.posts.v1 import post_pb2 as posts
from chassis.messages import Record
from chassis.settings import EXIT_CONFIGURATION
from contracts.codec import Event, decode
from services.routing import __main__ as routing
from services.routing.decisions import classify_batch
from services.routing.judgement import Category, Judgement, Kind, Text
from services.routing.rules.book import RuleBook
from tests.factories import NOW, make_event, make_post_received
from tests.unit.routing.rules.rulings import file_of, rule_of

ENVIRONMENT = {
    "ASCOLTO_PROFILE": "local",
    "AUTH_ISSUER": "http://127.0.0.1:9",
    "POSTGRES_DSN": "postgresql://u@127.0.0.1:9/ascolto",
}


class Complaints:
    """Takes everything for a complaint."""

    model = "models/test@1"

    def classify(self, texts: Sequence[Text]) -> list[Judgement]:
        shares = {category: float(category is Category.COMPLAINT) for category in Category}
        return [
            Judgement(Category.COMPLAINT, False, shares, "en", (), self.model, Kind.SERVICE_PROBLEM, 2) for _ in texts
        ]


def _classified(book: RuleBook, **post: object) -> pb.PostClassified:
    event = cast("Event[posts.PostReceived]", make_event(make_post_received(**post)))
    [out] = classify_batch(Complaints(), [event], handle=book.handle)
    record = Record(out.topic, 0, 0, 0, out.key, out.value, out.headers)
    return cast("pb.PostClassified", decode(record).message)


@pytest.fixture
def book(tmp_path: Path) -> RuleBook:
    rules = file_of(rule_of('classification.category == "complaint"', "queue: angry, respond_within: 30m", "angry"))
    (tmp_path / "acme.yaml").write_text(rules)
    return RuleBook.open(tmp_path)


def test_a_classified_post_carries_what_is_to_be_done(book: RuleBook) -> None:
    handling = _classified(book).handling
    assert (handling.queue, list(handling.rules)) == ("angry", ["angry"])
    assert handling.respond_by.seconds == int(NOW.timestamp()) + 30 * 60


def test_a_post_of_a_tenant_without_rules_carries_none(book: RuleBook) -> None:
    assert not _classified(book, tenant="other").HasField("handling")
    assert not _classified(RuleBook()).HasField("handling")


def test_a_folder_that_cannot_be_read_keeps_routing_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in (ENVIRONMENT | {"ROUTING_RULES_DIR": str(tmp_path / "nowhere")}).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        routing.main()
    assert ended.value.code == EXIT_CONFIGURATION
    assert "nowhere: cannot be read: No such file or directory: ROUTING_RULES_DIR must name" in capsys.readouterr().err
