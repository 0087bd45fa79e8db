"""What a broker refuses as a whole, which aiokafka does not read."""

from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code
from aiokafka.protocol.api import Request, Response
from aiokafka.protocol.commit import OffsetFetchRequest


def heed_refusals(client: AIOKafkaClient) -> None:
    """Let `client` raise it when the broker refuses to tell how far a group has come.

    aiokafka reads the errors of single partitions alone: asked while a broker that has just started still loads the
    group, or after the group has moved to another, it takes the answer for a group that has committed nothing, and a
    consumer starts from the beginning.
    """
    send = client.send

    async def heeding(node_id: int, request: Request[Any], **options: Any) -> Response:  # noqa: ANN401 - aiokafka's own
        response = await send(node_id, request, **options)
        if isinstance(request, OffsetFetchRequest) and (code := getattr(response, "error_code", 0)):
            raise for_code(code)
        return response

    client.send = heeding
