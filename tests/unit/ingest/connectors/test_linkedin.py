"""What is special about LinkedIn: names of two spellings, three kinds of posts, and marks within text."""

import json
from typing import Any

import pytest

from services.ingest.connector import Account, Ignored, Reason
from services.ingest.connectors.linkedin import normalize
from services.ingest.rawpost import RawPost
from tests.unit.ingest.connectors.specimens.linkedin import MEMBER, PAGE, POST, comment, notification

COMMENT = f"urn:li:comment:({POST},7300000000000000777)"


def the(payload: Any, account: Account = Account()) -> RawPost:  # noqa: B008 - it is immutable
    (outcome,) = normalize(json.dumps(payload).encode(), account)
    assert isinstance(outcome, RawPost), outcome
    return outcome


def reason(payload: Any) -> Reason:
    (outcome,) = normalize(json.dumps(payload).encode(), Account())
    assert isinstance(outcome, Ignored), outcome
    return outcome.reason


def share(action: str, **fields: Any) -> dict[str, Any]:
    told = {"owner": MEMBER, "entity": "urn:li:share:73", **fields}
    return notification(action, None, generatedActivity="urn:li:share:73", decoratedGeneratedActivity={"share": told})


def read(**fields: Any) -> dict[str, Any]:
    return {
        "actor": MEMBER,
        "id": "7300000000000000777",
        "object": POST,
        "message": {"text": "Ciao Lumora", "attributes": []},
        "created": {"time": 1795338000123},
        "lastModified": {"time": 1795338000123},
        **fields,
    }


@pytest.mark.parametrize(
    "payload",
    [
        notification("COMMENT", comment("Ciao")),
        notification("COMMENT", {"text": "Ciao", "owner": MEMBER}),
        notification("COMMENT", comment("Ciao"), generatedActivity=None),
        {"elements": [read()]},
        read(commentUrn="urn:li:comment:(activity:7300000000000000001,7300000000000000777)"),
        {"results": {"x": read()}},
    ],
)
def test_a_comment_has_one_name_and_hangs_on_its_post(payload: Any) -> None:
    raw = the(payload)
    assert (raw.native_id, raw.native_parent_id, raw.native_thread_id) == (COMMENT, POST, POST)
    assert raw.author
    assert raw.author.id == MEMBER


@pytest.mark.parametrize("name", ["parentComment", "object"])
def test_an_answer_to_a_comment_names_it_as_parent(name: str) -> None:
    raw = the(notification("COMMENT", comment("Ciao", **{name: "urn:li:comment:(activity:7300000000000000001,5)"})))
    assert (raw.native_parent_id, raw.native_thread_id) == (f"urn:li:comment:({POST},5)", POST)


@pytest.mark.parametrize(
    ("owner", "action", "own"),
    [(MEMBER, "COMMENT", False), (PAGE, "COMMENT", True), (MEMBER, "ADMIN_COMMENT", True)],
)
def test_the_organization_speaks_for_itself_or_by_its_administrators(owner: str, action: str, *, own: bool) -> None:
    assert the(notification(action, comment("Ciao", owner=owner))).own is own


@pytest.mark.parametrize("account", ["4242", "urn:li:organization:4242"])
def test_the_account_is_known_by_its_number_or_its_urn(account: str) -> None:
    assert the(read(actor=PAGE), Account(id=account)).own


def test_an_edit_says_when_it_was_made_and_not_when_the_comment_was() -> None:
    raw = the(notification("COMMENT_EDIT", comment("Ciao"), lastModifiedAt=1795338999000))
    assert (raw.revision, raw.create_time) == (1795338999, None)


def test_a_comment_that_is_read_later_may_be_an_edit() -> None:
    raw = the(read(lastModified={"time": 1795338999000}))
    assert (raw.change, raw.revision) == ("edited", 1795338999)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (notification("LIKE", None), Reason.NO_POST),
        (notification("COMMENT", None), Reason.IDS_ONLY),
        (notification("SHARE_MENTION", None), Reason.IDS_ONLY),
        (share("SHARE", text=""), Reason.NO_CONTENT),
        ({"type": "ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS", "notifications": []}, Reason.NO_POST),
        ({"serviceErrorCode": 100, "message": "Not enough permissions", "status": 403}, Reason.NO_POST),
    ],
)
def test_what_nobody_said_is_told_apart(payload: Any, expected: Reason) -> None:
    assert reason(payload) is expected


@pytest.mark.parametrize("action", ["SHARE", "SHARE_MENTION"])
def test_a_share_is_a_post_of_its_own(action: str) -> None:
    raw = the(share(action, text="Bella lampada", mediaCategory="IMAGE"))
    assert (raw.kind, raw.native_id, raw.native_parent_id) == ("public_post", "urn:li:share:73", None)
    assert [each.kind for each in raw.media] == ["image"]


def test_the_marks_of_little_text_are_undone() -> None:
    commentary = r"Thanks @[Lumora \(IT\)](urn:li:organization:4242) \- {hashtag|\#|Lamps} 5 \< 6 \*"
    raw = the({"id": "urn:li:share:73", "author": MEMBER, "commentary": commentary, "publishedAt": 1795338000123})
    assert raw.text == r"Thanks Lumora (IT) \- #Lamps 5 < 6 *"


@pytest.mark.parametrize(
    "words",
    [
        {"specificContent": {"com.linkedin.ugc.ShareContent": {"shareCommentary": {"text": "Bella"}}}},
        {"text": {"text": "Bella"}},
        {"commentary": "Bella"},
    ],
)
def test_posts_of_every_generation_are_read(words: dict[str, Any]) -> None:
    raw = the({"elements": [{"id": "urn:li:ugcPost:73", "author": MEMBER, **words}]})
    assert (raw.native_id, raw.text) == ("urn:li:ugcPost:73", "Bella")


def test_a_mention_has_its_place_and_its_person() -> None:
    value = {"com.linkedin.common.CompanyAttributedEntity": {"company": PAGE}}
    attributes = [{"start": 5, "length": 6, "value": value}]
    (span,) = the(read(message={"text": "Ciao Lumora", "attributes": attributes})).spans
    assert (span.start, span.end, span.target) == (5, 11, PAGE)


def test_the_address_of_a_comment_names_it_under_its_post() -> None:
    address = the(read()).permalink or ""
    assert address.startswith(
        f"https://www.linkedin.com/feed/update/{POST}?commentUrn=urn%3Ali%3Acomment%3A%28activity"
    )
