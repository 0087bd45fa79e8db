"""What is special about e-mail: who wrote it, what they wrote themselves, and whether anybody did."""

import base64
import json
import time
from typing import Final

import pytest

from services.ingest.connector import Account, Ignored, Reason
from services.ingest.connectors.email import normalize
from services.ingest.rawpost import RawPost
from tests.unit.ingest.connectors.specimens.email import mail

ACCOUNT: Final = Account(id="help@lumora.example")


def the_post(data: bytes) -> RawPost:
    (outcome,) = normalize(data, ACCOUNT)
    assert isinstance(outcome, RawPost), outcome
    return outcome


def multipart(kind: str, *parts: str) -> bytes:
    body = "".join(f"--b1\r\n{part}\r\n" for part in parts) + "--b1--\r\n"
    return mail(body.encode(), Content_Type=f'multipart/{kind}; boundary="b1"')


@pytest.mark.parametrize(
    ("written", "address", "name"),
    [
        ("Marta Rossi <Marta@Example.NET>", "marta@example.net", "Marta Rossi"),
        ("marta@example.net (Marta Rossi)", "marta@example.net", "Marta Rossi"),
        ('"Rossi, Marta" <marta@example.net>', "marta@example.net", "Rossi, Marta"),
        ("Rossi, Marta <marta@example.net>, Anna <anna@example.net>", "marta@example.net", "Rossi, Marta"),
        ("=?iso-8859-1?q?Andr=E9?= =?iso-8859-1?q?_Lef=E8vre?= <a@b.example>", "a@b.example", "André Lefèvre"),
        # one character torn apart between two words
        ("=?utf-8?B?44G+4w==?= =?utf-8?B?gb8=?= <a@b.example>", "a@b.example", "まみ"),
        ("Zoë <zoë@example.net>", "zoë@example.net", "Zoë"),
        ("=?no-such-charset?q?Zo=C3=AB?= <a@b.example>", "a@b.example", "Zoë"),
        ("=?utf-8?b?%%%?= <a@b.example>", "a@b.example", ""),
        ("root", "root", None),
    ],
)
def test_the_author_is_the_address(written: str, address: str, name: str | None) -> None:
    author = the_post(mail(b"Hello", From=written)).author
    assert author
    assert (author.id, author.display_name) == (address, name or None)


def test_of_two_senders_the_first_counts() -> None:
    twice = mail(b"Hello", From="Marta <marta@example.net>\r\nFrom: Anna <anna@example.net>")
    author = the_post(twice).author
    assert author
    assert author.id == "marta@example.net"


@pytest.mark.parametrize(
    ("charset", "encoded"),
    [
        ("iso-2022-jp", "すみません。".encode("iso-2022-jp")),
        ("ks_c_5601-1987", "안녕하세요".encode("cp949")),
        ("gb2312", "謝謝你們".encode("gb18030")),
        ("iso-8859-1", "It costs 5 €".encode("cp1252")),
        ("us-ascii", "perché".encode()),
        ("unknown-8bit", "perché".encode("cp1252")),
        ("hex", "perché".encode()),
        ("utf-8", "perché".encode("latin-1")),
    ],
)
def test_a_body_is_read_whatever_its_charset(charset: str, encoded: bytes) -> None:
    text = the_post(mail(encoded, Content_Type=f"text/plain; charset={charset}")).text
    assert text in {"すみません。", "안녕하세요", "謝謝你們", "It costs 5 €", "perché"}


@pytest.mark.parametrize(
    ("references", "answers", "thread", "parent"),
    [
        ("", "", "m1@example.net", None),
        ("<a@x> <b@x>", "<b@x>", "a@x", "b@x"),
        ("<a@x>\r\n\t<b@x>", "", "a@x", "b@x"),
        ("", "Your mail of Sunday <b@x>", "b@x", "b@x"),
        ("", "b@x", "b@x", "b@x"),
        ("", "Your mail of Sunday", "m1@example.net", None),
    ],
)
def test_references_tell_the_thread(references: str, answers: str, thread: str, parent: str | None) -> None:
    raw = the_post(mail(b"Hello", References=references, In_Reply_To=answers))
    assert (raw.native_thread_id, raw.native_parent_id) == (thread, parent)


def test_a_mail_without_an_id_is_known_by_what_it_says() -> None:
    first, again = (the_post(mail(b"Hello", Message_ID="")) for _ in range(2))
    other = the_post(mail(b"Hello again", Message_ID=""))
    assert first.native_id == again.native_id != other.native_id


@pytest.mark.parametrize("date", ["", "yesterday", "Thu, 31 Feb 2026 09:00:00 +0100"])
def test_a_broken_date_costs_the_date_alone(date: str) -> None:
    raw = the_post(mail(b"Hello", Date=date))
    assert (raw.text, raw.create_time) == ("Hello", None)


@pytest.mark.parametrize(
    ("subject", "answers", "text"),
    [
        ("Broken lamp", "", "Broken lamp\n\nHello"),
        ("Re: Broken lamp", "<a@x>", "Hello"),
        ("R: I: Broken lamp", "<a@x>", "Hello"),
        ("AW[2]: Broken lamp", "<a@x>", "Hello"),
        ("Re: Broken lamp", "", "Re: Broken lamp\n\nHello"),
        ("My invoice", "<a@x>", "My invoice\n\nHello"),
    ],
)
def test_a_subject_is_said_once(subject: str, answers: str, text: str) -> None:
    assert the_post(mail(b"Hello", Subject=subject, In_Reply_To=answers)).text == text


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (("Content-Type: text/plain\r\n\r\nHello", "Content-Type: text/html\r\n\r\n<b>Hello!</b>"), "Hello"),
        (("Content-Type: text/plain\r\n\r\n ", "Content-Type: text/html\r\n\r\n<p>Hello<p>you"), "Hello\n\nyou"),
    ],
)
def test_of_alternatives_the_plain_one_is_read(parts: tuple[str, ...], text: str) -> None:
    raw = the_post(multipart("alternative", *parts))
    assert (raw.text, raw.media) == (text, ())


def test_what_is_attached_is_media_and_no_text() -> None:
    raw = the_post(
        multipart(
            "mixed",
            "\r\nSee the picture.",
            "Content-Type: image/jpeg\r\nContent-Disposition: inline; filename=a.jpg\r\n\r\nx",
            "Content-Type: text/plain\r\nContent-Disposition: attachment; filename=log.txt\r\n\r\nlog",
            "Content-Type: message/rfc822\r\n\r\nSubject: another\r\n\r\nwords of somebody else",
        )
    )
    assert (raw.text, [each.kind for each in raw.media]) == ("See the picture.", ["image", "file", "file"])


def test_a_signature_of_a_machine_is_not_attached() -> None:
    signed = multipart("signed", "\r\nHello", "Content-Type: application/pgp-signature\r\n\r\nx")
    assert the_post(signed).media == ()


def test_lines_that_a_program_broke_are_joined() -> None:
    body = b"A long \r\nline.\r\n> quoted \r\n> too\r\n-- \r\nMarta"
    assert the_post(mail(body, Content_Type="text/plain; format=flowed")).text == "A long line."


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"X_Autoreply": "yes"},
        {"X_Auto_Response_Suppress": "OOF, AutoReply"},
        {"Precedence": "bulk"},
        {"List_Unsubscribe": "<https://shop.example/u>"},
        {"List_Id": "Lamp makers <lamps.example.org>"},
        {"Return_Path": "<>"},
        {"From": "MAILER-DAEMON"},
        {"From": "Shop <no-reply@shop.example>"},
        {"From": "donotreply+7@shop.example", "Reply_To": "noreply@shop.example"},
        {"Subject": "Risposta automatica: Broken lamp"},
        {"X_Ascolto_Reply": "1"},
        {"Content_Type": "multipart/report; boundary=b1"},
    ],
)
def test_a_machine_is_no_customer(headers: dict[str, str]) -> None:
    (outcome,) = normalize(mail(b"I am away.", **headers), ACCOUNT)
    assert isinstance(outcome, Ignored)
    assert outcome.reason is Reason.AUTOMATIC


@pytest.mark.parametrize(
    ("headers", "author"),
    [
        ({"Auto_Submitted": "no"}, "marta@example.net"),
        ({"X_Auto_Response_Suppress": "DR, RN, NRN"}, "marta@example.net"),
        # the help address is a list itself, through which every customer writes
        ({"List_Id": "<help.lumora.example>", "Precedence": "list"}, "marta@example.net"),
        ({"From": "help@lumora.example", "X_Original_From": "Marta <marta@example.net>"}, "marta@example.net"),
        # a contact form
        ({"From": "Site <no-reply@lumora.example>", "Reply_To": "marta@example.net"}, "marta@example.net"),
    ],
)
def test_a_person_behind_a_machine_is_heard(headers: dict[str, str], author: str) -> None:
    raw = the_post(mail(b"Hello", **headers))
    assert raw.author
    assert (raw.author.id, raw.own) == (author, False)


@pytest.mark.parametrize(
    "body",
    [
        b"-----BEGIN PGP MESSAGE-----\r\n\r\nhQ==\r\n-----END PGP MESSAGE-----",
        b"",
    ],
)
def test_what_cannot_be_read_is_ignored_for_its_reason(body: bytes) -> None:
    (outcome,) = normalize(mail(body), ACCOUNT)
    assert isinstance(outcome, Ignored)
    assert outcome.reason is (Reason.ENCRYPTED if body else Reason.NO_CONTENT)


RAW: Final = mail(b"Hello")
FORM: Final = b'--x1\r\nContent-Disposition: form-data; name="email"\r\n\r\n' + RAW + b"\r\n--x1--\r\n"


@pytest.mark.parametrize(
    "delivery",
    [
        FORM,
        FORM.replace(b'"email"', b'"body-mime"'),
        b"recipient=help%40lumora.example&body-mime=From%3A+marta%40example.net%0D%0A%0D%0AHello",
        json.dumps({"raw": base64.urlsafe_b64encode(RAW).decode()}).encode(),
        json.dumps({"RawEmail": RAW.decode()}).encode(),
        json.dumps({"Type": "Notification", "Message": json.dumps({"content": RAW.decode()})}).encode(),
        json.dumps([{"event": "inbound", "msg": {"raw_msg": RAW.decode()}}]).encode(),
    ],
)
def test_hooks_of_mail_providers_hold_the_mail(delivery: bytes) -> None:
    raw = the_post(delivery)
    assert raw.author
    assert (raw.author.id, raw.text) == ("marta@example.net", "Hello")


@pytest.mark.parametrize("delivery", [b'{"historyId": 7}', b'{"raw": "%%%"}', b"--x1\r\n\r\nHello\r\n--x1--", b"a=b"])
def test_a_hook_without_a_mail_is_malformed(delivery: bytes) -> None:
    assert normalize(delivery, ACCOUNT) == [Ignored(Reason.MALFORMED)]


def _nested(depth: int) -> bytes:
    return b"".join(b"Content-Type: multipart/mixed; boundary=a%d\n\n--a%d\n" % (i, i) for i in range(depth))


@pytest.mark.parametrize(
    "hostile",
    [
        b"From: a@b\n" + _nested(90),
        b"From: a@b\n" + _nested(3_000),
        b"From: a@b\n" + _nested(90) + b"\n" * 200_000,
        mail(b"x", Content_Type='multipart/mixed; boundary="' + ';"' * 1_500),
        mail(b"x", Content_Type="multipart/mixed; boundary*" + "9" * 5_000 + "*=x"),
        mail(b"On 1 a@b wrote\n" * 20_000),
        mail(b"From: a\n" * 50_000),
        mail(b"On " * 100_000),
        mail(b"a-" + b"z" * 100_000, Content_Type="text/plain; charset=punycode"),
        mail(b"x", From="(" * 40_000, Subject="=?x?q?" * 10_000),
    ],
    ids=range(10),
)
def test_a_hostile_mail_costs_little(hostile: bytes) -> None:
    start = time.process_time()
    assert normalize(hostile, ACCOUNT)
    assert time.process_time() - start < 2  # measured: 0.3 s at most


def test_anything_of_a_mail_may_be_missing() -> None:
    raw = the_post(b"Subject: Lamp\n\n")
    assert (raw.text, raw.author, raw.author_unknown) == ("Lamp", None, True)
