"""Puts our interceptors around the servicer's method, whichever of the four kinds of call it serves."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, aclosing
from inspect import isasyncgen
from typing import Any, TypeAlias

import grpc
from grpc_status import rpc_status

from chassis.api_errors import ApiError
from chassis.grpc_server.call import Call, Interceptor, ServicerContext, current_call
from chassis.grpc_server.writing import write_within

Behavior = Callable[[Any, ServicerContext], Awaitable[Any]]
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


class Pipeline(grpc.aio.ServerInterceptor):
    """Runs a call inside `interceptors`, the first one outermost, and turns an ApiError into the call's status."""

    def __init__(
        self, interceptors: Sequence[Interceptor], draining: asyncio.Event, write_timeout_seconds: float
    ) -> None:
        self._interceptors = tuple(interceptors)
        self._draining = draining
        self._write_timeout_seconds = write_timeout_seconds

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable["Handler | None"]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "Handler | None":
        """The handler of the method with the pipeline around it; None where nobody serves the method."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        return self._around(handler, handler_call_details.method.removeprefix("/"))

    def _around(self, handler: Handler, method: str) -> Handler:
        make, behavior = self._unpack(handler)
        unary = make is grpc.unary_unary_rpc_method_handler

        async def run(request: Any, context: ServicerContext) -> Any:  # noqa: ANN401 - any message of any service
            call = Call(method=method, unary=unary, context=context, draining=self._draining)
            try:
                return await self._run(call, behavior, request)
            except ApiError as error:
                await context.abort_with_status(rpc_status.to_status(error.to_status()))

        return make(run, handler.request_deserializer, handler.response_serializer)

    async def _run(self, call: Call, behavior: Behavior, request: Any) -> Any:  # noqa: ANN401 - as above
        current_call.set(call)
        async with AsyncExitStack() as stack:
            for interceptor in self._interceptors:
                await stack.enter_async_context(interceptor(call))
            return await behavior(request, call.context)

    def _unpack(self, handler: Handler) -> tuple[Callable[..., Handler], Behavior]:
        """How to make a handler of the same kind, and the method as a coroutine function."""
        if handler.request_streaming and handler.response_streaming:
            return grpc.stream_stream_rpc_method_handler, self._writing(handler.stream_stream)
        if handler.response_streaming:
            return grpc.unary_stream_rpc_method_handler, self._writing(handler.unary_stream)
        if handler.request_streaming:
            return grpc.stream_unary_rpc_method_handler, handler.stream_unary  # type: ignore[return-value]
        return grpc.unary_unary_rpc_method_handler, handler.unary_unary  # type: ignore[return-value]

    def _writing(self, method: Any) -> Behavior:  # noqa: ANN401 - a servicer's method, of either form
        """A generator as a coroutine that writes, so that all of a call happens in one task and one context."""

        async def write_all(request: Any, context: ServicerContext) -> None:  # noqa: ANN401 - as above
            answer = method(request, context)
            if not isasyncgen(answer):
                await answer
                return
            async with aclosing(answer):
                async for response in answer:
                    await write_within(context, response, self._write_timeout_seconds)

        return write_all
