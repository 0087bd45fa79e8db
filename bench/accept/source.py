"""The one account that the posts of the accept bench come from."""

from typing import Final

from bench.deliveries import new_secret
from contracts.integrations import Integration

SECRET: Final = new_secret(b"a secret of the accept bench")
INTEGRATION: Final = Integration(
    id="bench-hook", tenant="bench", kind="webhook", network="generic", secrets=(f"plain:{SECRET}",)
)
