"""Calls to our services: a channel with token, deadline and trace context, and errors in words that help."""

from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any, TypeAlias

import grpc
from grpc_status import rpc_status

from chassis.api_errors import Explanation, explanation_of
from chassis.telemetry.propagation import PROPAGATOR

TokenSource = Callable[[], str]
"""Answers the token of this moment, so that a long-lived channel outlives a token."""

_OPTIONS = [
    ("grpc.lb_policy_name", "round_robin"),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 0),
    ("grpc.max_receive_message_length", 4 * 1024 * 1024),
]
_LOOPBACK = ("127.0.0.1:", "localhost:", "[::1]:")
_Requests: TypeAlias = "AsyncIterable[Any] | Iterable[Any]"


def open_channel(
    target: str,
    token: str | TokenSource,
    *,
    deadline_seconds: float = 10.0,
    root_certificates_file: Path | None = None,
    plaintext: bool | None = None,
) -> grpc.aio.Channel:
    """A channel to `target` ("host:port"); use it as an async context manager.

    Unary calls get `deadline_seconds` unless they state their own timeout. The token crosses a network under TLS
    alone: `plaintext` is the default on loopback only, and elsewhere has to be asked for (inside a mesh).
    """
    attach = _Attach(token if callable(token) else lambda: token, deadline_seconds)
    interceptors = [_UnaryUnary(attach), _UnaryStream(attach), _StreamUnary(attach), _StreamStream(attach)]
    if plaintext if plaintext is not None else target.startswith(_LOOPBACK):
        return grpc.aio.insecure_channel(target, options=_OPTIONS, interceptors=interceptors)
    roots = root_certificates_file.read_bytes() if root_certificates_file else None
    credentials = grpc.ssl_channel_credentials(roots)
    return grpc.aio.secure_channel(target, credentials, options=_OPTIONS, interceptors=interceptors)


def explain(error: grpc.aio.AioRpcError) -> str:
    """One or two sentences for a person: what is wrong and what to do."""
    known = explain_details(error)
    if known is not None:
        return _sentence(known)
    advice = _ADVICE.get(error.code(), "Run it again; if it stays, tell the people who run the service.")
    return f"{error.details() or error.code().name}. {advice}"


def explain_details(error: grpc.aio.AioRpcError) -> Explanation | None:
    """What the service said beyond the status; None where the answer came from elsewhere or is damaged."""
    try:
        status = rpc_status.from_call(error)  # type: ignore[arg-type]
    except ValueError:
        return None
    return None if status is None else explanation_of(status)


def _sentence(known: Explanation) -> str:
    if known.retry_after_seconds is None:
        return f"{known.message} ({known.reason})"
    return f"{known.message} ({known.reason}, again in {known.retry_after_seconds:g} s)"


_ADVICE = {
    grpc.StatusCode.UNAVAILABLE: "The service cannot be reached: is it running, and is the address right?",
    grpc.StatusCode.DEADLINE_EXCEEDED: "The service did not answer in time: try again, or allow more time.",
    grpc.StatusCode.UNIMPLEMENTED: "The service does not know this call: its version is older, or the address is"
    " another service's.",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "The message is too large, or a limit is used up: ask for less at once.",
    grpc.StatusCode.CANCELLED: "The call was given up before it ended.",
}


class _Attach:
    """Adds to a call what each one needs."""

    def __init__(self, token: TokenSource, deadline_seconds: float) -> None:
        self._token = token
        self._deadline_seconds = deadline_seconds

    def __call__(self, details: grpc.aio.ClientCallDetails, *, unary: bool) -> grpc.aio.ClientCallDetails:
        metadata = grpc.aio.Metadata(*(details.metadata or ()))
        metadata["authorization"] = f"Bearer {self._token()}"
        carrier: dict[str, str] = {}
        PROPAGATOR.inject(carrier)
        for name, value in carrier.items():
            metadata[name] = value
        timeout = self._deadline_seconds if unary and details.timeout is None else details.timeout
        return grpc.aio.ClientCallDetails(
            details.method, timeout, metadata, details.credentials, details.wait_for_ready
        )


class _UnaryUnary(grpc.aio.UnaryUnaryClientInterceptor):
    def __init__(self, attach: _Attach) -> None:
        self._attach = attach

    async def intercept_unary_unary(
        self,
        continuation: Callable[[grpc.aio.ClientCallDetails, Any], Awaitable[Any]],
        client_call_details: grpc.aio.ClientCallDetails,
        request: Any,  # noqa: ANN401 - any message of any service
    ) -> Any:  # noqa: ANN401 - as above
        return await continuation(self._attach(client_call_details, unary=True), request)


class _UnaryStream(grpc.aio.UnaryStreamClientInterceptor):
    def __init__(self, attach: _Attach) -> None:
        self._attach = attach

    async def intercept_unary_stream(
        self,
        continuation: Callable[[grpc.aio.ClientCallDetails, Any], Awaitable[Any]],
        client_call_details: grpc.aio.ClientCallDetails,
        request: Any,  # noqa: ANN401 - any message of any service
    ) -> Any:  # noqa: ANN401 - as above
        return await continuation(self._attach(client_call_details, unary=False), request)


class _StreamUnary(grpc.aio.StreamUnaryClientInterceptor):
    def __init__(self, attach: _Attach) -> None:
        self._attach = attach

    async def intercept_stream_unary(
        self,
        continuation: Callable[[grpc.aio.ClientCallDetails, _Requests], Awaitable[Any]],
        client_call_details: grpc.aio.ClientCallDetails,
        request_iterator: _Requests,
    ) -> Any:  # noqa: ANN401 - any message of any service
        return await continuation(self._attach(client_call_details, unary=False), request_iterator)


class _StreamStream(grpc.aio.StreamStreamClientInterceptor):
    def __init__(self, attach: _Attach) -> None:
        self._attach = attach

    async def intercept_stream_stream(
        self,
        continuation: Callable[[grpc.aio.ClientCallDetails, _Requests], Awaitable[Any]],
        client_call_details: grpc.aio.ClientCallDetails,
        request_iterator: _Requests,
    ) -> Any:  # noqa: ANN401 - any message of any service
        return await continuation(self._attach(client_call_details, unary=False), request_iterator)
