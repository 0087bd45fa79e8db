"""Asks a language model about the posts that the classifier is unsure of; whatever fails stays unsure."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from time import monotonic
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import httpx
import structlog

from services.routing.judgement import Judgement, Stage, Text
from services.routing.language_model import metrics
from services.routing.language_model.answer import Answer, Invalid, read_answer
from services.routing.language_model.cache import Answers, key_of
from services.routing.language_model.metrics import Outcome
from services.routing.language_model.prompt import system_prompt, user_prompt
from services.routing.language_model.restraint import Budget, Circuit, Seconds
from services.routing.language_model.settings import LanguageModelSettings

MAX_ANSWER_BYTES: Final = 64 * 1024
MAX_ANSWER_TOKENS: Final = 200
_MISCONFIGURED: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})
_FAILURES: Final = frozenset({Outcome.RATE_LIMITED, Outcome.TIMEOUT, Outcome.UNAVAILABLE})
"""Of the endpoint. What a post can provoke, an invalid answer or a refusal, says nothing about the next post."""
_log = structlog.get_logger(__name__)


class _Question(NamedTuple):
    key: bytes
    prompt: str


class _Unanswered(Exception):  # noqa: N818 - named after what it says
    """Why a call brought no answer, and how long the other side wants to be left alone."""

    def __init__(self, outcome: Outcome, pause_seconds: float | None = None) -> None:
        super().__init__(outcome)
        self.outcome = outcome
        self.pause_seconds = pause_seconds


class LanguageModel:
    """An OpenAI-compatible chat endpoint; an async context manager, which closes its connections.

    Follows no redirect and reads no proxy from the environment: posts go to the configured host or nowhere.
    """

    def __init__(self, settings: LanguageModelSettings, *, clock: Seconds = monotonic) -> None:
        """Raise ValueError where no endpoint is configured."""
        if settings.url is None or settings.model is None:
            raise ValueError("ROUTING_LLM_URL and ROUTING_LLM_MODEL are needed to ask a language model")
        self.name = f"models/{settings.model}"
        self._settings = settings
        self._model = settings.model
        self._url = f"{settings.url}/chat/completions"
        self._system = system_prompt()
        self._answers = Answers()
        self._circuit = Circuit(settings.failures_before_pause, settings.pause_seconds, clock)
        self._budget = Budget(settings.calls_per_minute, clock)
        self._slots = asyncio.Semaphore(settings.max_concurrent)
        self._http = httpx.AsyncClient(
            headers=_headers(settings), timeout=settings.timeout_seconds, follow_redirects=False, trust_env=False
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def ask(self, texts: Sequence[Text], judgements: Sequence[Judgement]) -> list[Judgement]:
        """The judgements, with the model's in the place of those that abstained, where it answered and was sure.

        Takes at most `batch_seconds`, and raises nothing for anything that the model does or fails to do.
        """
        places: dict[_Question, list[int]] = defaultdict(list)
        for place, judgement in enumerate(judgements):
            if judgement.abstained:
                places[self._question(texts[place])].append(place)
        found = await self._ask_all(places)
        judged = list(judgements)
        for question, same in places.items():
            answer = found.get(question, Outcome.TOO_LATE)
            metrics.settled(self._outcome(answer), len(same))
            for place in same:
                judged[place] = self._judged(judged[place], answer)
        return judged

    async def _ask_all(self, questions: Iterable[_Question]) -> Mapping[_Question, Answer | Outcome]:
        found: dict[_Question, Answer | Outcome] = {}

        async def ask_one(question: _Question) -> None:
            found[question] = await self._ask(question)

        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.batch_seconds), asyncio.TaskGroup() as group:
                for question in questions:
                    group.create_task(ask_one(question))
        return found

    async def _ask(self, question: _Question) -> Answer | Outcome:
        if (known := self._answers.get(question.key)) is not None:
            return known
        async with self._slots:
            if self._circuit.is_open():
                return Outcome.PAUSED
            if not self._budget.take():
                return Outcome.OVER_BUDGET
            return await self._call(question)

    async def _call(self, question: _Question) -> Answer | Outcome:
        started = monotonic()
        try:
            answer = read_answer(await self._complete(question.prompt))
        except _Unanswered as error:
            outcome, pause_seconds = error.outcome, error.pause_seconds
        except Invalid:
            outcome, pause_seconds = Outcome.INVALID, None
        else:
            self._answers.put(question.key, answer)
            self._circuit.succeeded()
            metrics.called(self._outcome(answer), monotonic() - started)
            return answer
        metrics.called(outcome, monotonic() - started)
        if outcome in _FAILURES:
            self._note_failure(outcome, pause_seconds)
        else:
            self._circuit.succeeded()
        return outcome

    async def _complete(self, prompt: str) -> bytes:
        """The body of a completion; raises `_Unanswered`."""
        body = json.dumps(self._request(prompt)).encode()
        try:
            async with (
                asyncio.timeout(self._settings.timeout_seconds),
                self._http.stream("POST", self._url, content=body) as response,
            ):
                if response.status_code != HTTPStatus.OK:
                    raise _refusal(response)
                return await _read(response)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise _Unanswered(Outcome.TIMEOUT) from error
        except (httpx.HTTPError, OSError) as error:
            raise _Unanswered(Outcome.UNAVAILABLE) from error

    def _request(self, prompt: str) -> dict[str, Any]:
        return {
            "model": self._model,
            "temperature": 0,
            "max_tokens": MAX_ANSWER_TOKENS,
            "response_format": {"type": "json_object"},
            "messages": [{"role": "system", "content": self._system}, {"role": "user", "content": prompt}],
        }

    def _note_failure(self, outcome: Outcome, pause_seconds: float | None) -> None:
        if self._circuit.failed(pause_seconds):
            _log.warning("language_model_paused", model=self.name, reason=outcome.value)

    def _question(self, text: Text) -> _Question:
        prompt = user_prompt(text)
        return _Question(key_of(self._model, prompt), prompt)

    def _outcome(self, answer: Answer | Outcome) -> Outcome:
        if isinstance(answer, Outcome):
            return answer
        return Outcome.ANSWERED if answer.confidence >= self._settings.least_confidence else Outcome.UNSURE

    def _judged(self, judgement: Judgement, answer: Answer | Outcome) -> Judgement:
        """The probabilities stay those of the classifier: they are calibrated, and the model's confidence is not."""
        if isinstance(answer, Outcome) or self._outcome(answer) is not Outcome.ANSWERED:
            return judgement
        return replace(
            judgement,
            category=answer.category,
            kind=answer.kind,
            abstained=False,
            stage=Stage.LANGUAGE_MODEL,
            model=self.name,
            reasons=(f"model: {answer.shown_reason()}",),
            evidence=tuple(each for each in judgement.evidence if each.output not in {"category", "kind"}),
        )


def _headers(settings: LanguageModelSettings) -> dict[str, str]:
    headers = {"content-type": "application/json", "accept-encoding": "identity", "user-agent": "Ascolto"}
    if settings.api_key is not None:
        headers["authorization"] = f"Bearer {settings.api_key.get_secret_value()}"
    return headers


def _refusal(response: httpx.Response) -> _Unanswered:
    status = response.status_code
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        after = response.headers.get("retry-after", "")
        return _Unanswered(Outcome.RATE_LIMITED, float(after) if after.isdecimal() and after.isascii() else None)
    is_client_error = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    refused = is_client_error and status not in _MISCONFIGURED
    return _Unanswered(Outcome.REFUSED if refused else Outcome.UNAVAILABLE)


async def _read(response: httpx.Response) -> bytes:
    """Read no more than an answer can have; what is longer is cut, and so no answer."""
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            break
    return bytes(body[:MAX_ANSWER_BYTES])
