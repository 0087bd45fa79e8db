"""What the writer of a mail wrote themselves: without the mails that it answers, and without a signature.

Works line by line, in a time that grows with the length alone, and in doubt keeps: a line too many is read over,
while a customer's sentence that is taken for a signature is never answered.
"""

import re
from collections.abc import Sequence
from typing import Final

_MAX_LINE_CHARACTERS: Final = 400
_ATTRIBUTION_LINES: Final = 4
_HEADERS_NEEDED: Final = 3
_HEADER_LINES: Final = 8
_MAX_SIGNATURE_LINES: Final = 15

# "On <when>, <who> wrote:" as mail clients say it: what it starts with, and the verb before its colon.
_STARTS: Final = re.compile(
    r"(?:on|il|in data|el|le|am|em|no dia|op|den|dne|w dniu|dnia|pe|fre|man|tir|tis|ons|tor|lør|lör|søn|sön|mån)\b"
    r"|\d{1,4}[-./年]\d|[^.!?<]{1,60}<[^<>\s]{1,100}@",
    re.IGNORECASE,
)
_VERBS: Final = re.compile(
    r"(?:\b(?:wrote|writes|ha scritto|scrive|escribió|a écrit|écrit|schrieb|geschrieben|escreveu|schreef|napsal|napsala"
    r"|napisał|napisała|pisze|skrev|kirjoitti|yazd\u0131|írta|пишет|написал|написала)\b"
    r"|写道|님이 작성)[^:\uff1a]{0,120}[:\uff1a]$",
    re.IGNORECASE,
)
_JAPANESE: Final = re.compile(r"\d{4}年\d{1,2}月\d{1,2}日.{0,200}[:\uff1a]$")
_WHEN_OR_WHO: Final = re.compile(r"\d|@")
_WHEN_AND_WHO: Final = re.compile(r"@|\d[:.h]\d\d")

_SEPARATOR: Final = re.compile(
    r"[>\s]{0,6}[-_=]{2,}\s?(?:original message|original appointment|messaggio originale|mensaje original"
    r"|message d'origine|message original|ursprüngliche nachricht|mensagem original|oorspronkelijk bericht"
    r"|oprindelig meddelelse|ursprungligt meddelande|wiadomość oryginalna|исходное сообщение|原始邮件|元のメッセージ)",
    re.IGNORECASE,
)
_REPLY_ABOVE: Final = re.compile(
    r".{0,60}(?:above this line|sopra questa (?:linea|riga)|encima de esta línea|au-dessus de cette ligne"
    r"|über dieser (?:zeile|linie)|acima d?esta linha)",
    re.IGNORECASE,
)
_FORWARDED: Final = re.compile(
    r"(?:-{3,}\s*(?:forwarded message|messaggio inoltrato|mensaje reenviado|message transféré|weitergeleitete nachricht"
    r"|mensagem encaminhada)|begin forwarded message:|inizio messaggio inoltrato:)",
    re.IGNORECASE,
)
# The lines "From: ... Sent: ... To: ... Subject: ..." above what Outlook and others quote.
_HEADER: Final = re.compile(r"[*\s>]{0,6}([^\W\d][^:*\n]{0,24}?)[*\s]{0,3}:[*\s]{0,3}", re.IGNORECASE)
# fmt: off
_FROM: Final = {
    "from", "da", "de", "von", "van", "från", "fra", "od", "remitente", "expéditeur",
    "от", "发件人", "差出人", "보낸사람",
}
_HEADERS: Final = _FROM | {
    "sent", "to", "subject", "date", "cc", "reply-to",
    "inviato", "a", "oggetto", "data",
    "enviado", "enviado el", "para", "asunto", "fecha",
    "envoyé", "envoyé le", "à", "objet",
    "gesendet", "an", "betreff", "datum",
    "enviada em", "assunto",
    "verzonden", "aan", "onderwerp",
    "skickat", "till", "ämne", "sendt", "til", "emne",
    "odesláno", "komu", "předmět", "wysłano", "do", "temat",
    "отправлено", "кому", "тема", "дата", "发送时间", "收件人", "主题", "送信日時", "宛先", "件名", "제목", "받는사람",
}
# fmt: on
_APP_LINE: Final = re.compile(
    r"(?:sent from (?:my|mail for|outlook|yahoo|samsung|proton|the)|sent with proton|inviato da(?:l mio)? "
    r"|enviado (?:desde|do meu|a partir do|pelo) |envoyé (?:de mon|depuis|à partir de) |gesendet (?:von|mit) "
    r"|von meinem .{1,40} gesendet|verzonden vanaf |skickat från |sendt fra |wysłano z |odesláno z "
    r"|(?:get|scarica|obtener|télécharger|holen sie sich|obter) outlook ).{0,60}",
    re.IGNORECASE,
)
_RULE: Final = re.compile(r"\s*[_*=-]{5,}\s*")


def own_words(text: str) -> str:
    """Strip quotes and signature; a mail that is passed on below a line that says so is kept.

    Where nothing is left, all was kept for a reason, and the text is given as it is.
    """
    lines = [line.rstrip() for line in text.split("\n")]
    passed_on = next((place for place, line in enumerate(lines) if _FORWARDED.match(line.lstrip())), len(lines))
    kept = _without_signature(_without_history(lines[:passed_on]))
    return "\n".join([*kept, *([""] * bool(kept)), *lines[passed_on:]]).strip() or text.strip()


def _without_history(lines: Sequence[str]) -> list[str]:
    kept: list[str] = []
    place, end = 0, _history(lines)
    while place < end:
        attribution = _attribution_lines(lines, place)
        if attribution and not _is_quoted_below(lines, place + attribution):
            if _WHEN_AND_WHO.search(" ".join(lines[place : place + attribution])):
                break
            attribution = 0
        if not attribution and not lines[place].startswith(">"):
            kept.append(lines[place])
        place += attribution or 1
    return kept


def _history(lines: Sequence[str]) -> int:
    """The first line from which on there are none but other people's words, else how many lines there are."""
    names = [_header_name(line) for line in lines]
    for place, line in enumerate(lines):
        if _SEPARATOR.match(line) or _REPLY_ABOVE.match(line):
            return place
        if (
            names[place] in _FROM
            and len(_HEADERS.intersection(names[place : place + _HEADER_LINES])) >= _HEADERS_NEEDED
        ):
            return place
    return len(lines)


def _header_name(line: str) -> str:
    match = _HEADER.match(line[:_MAX_LINE_CHARACTERS].replace("\xa0", " "))
    return match[1].strip().lower() if match else ""


def _attribution_lines(lines: Sequence[str], place: int) -> int:
    """How many lines from here say "On ... wrote:"; 0 where they say something else."""
    start = lines[place][:_MAX_LINE_CHARACTERS]
    if not _STARTS.match(start) and not _JAPANESE.match(start):
        return 0
    said = ""
    for count, line in enumerate(lines[place : place + _ATTRIBUTION_LINES], start=1):
        if not line.strip() or len(line) > _MAX_LINE_CHARACTERS:
            return 0
        said = f"{said} {line.strip()}".replace("\xa0", " ").replace(" :", ":")
        if said.endswith((":", "\uff1a")) and _WHEN_OR_WHO.search(said):
            return count if _VERBS.search(said[-_MAX_LINE_CHARACTERS:]) or _JAPANESE.match(said.strip()) else 0
    return 0


def _is_quoted_below(lines: Sequence[str], place: int) -> bool:
    below = next((line for line in lines[place : place + 3] if line.strip()), "")
    return below.startswith(">")


def _without_signature(lines: Sequence[str]) -> list[str]:
    """Cut below the two dashes, and lines at the end that an app or a rule wrote."""
    dashes = [place for place, line in enumerate(lines) if line.strip() == "--"]
    kept = list(lines[: dashes[-1]] if dashes and len(lines) - dashes[-1] <= _MAX_SIGNATURE_LINES else lines)
    while kept and (not kept[-1].strip() or _RULE.fullmatch(kept[-1]) or _APP_LINE.match(kept[-1].strip())):
        kept.pop()
    return kept
