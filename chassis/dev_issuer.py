"""An OIDC issuer for development and tests: discovery, keys and tokens, on loopback, in the local profile only."""

import secrets
import time
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from functools import partial
from types import TracebackType
from typing import Any, Literal, Self

import jwt
import structlog
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from chassis.http_server import HttpSettings, serve_http
from chassis.lifecycle import Lifecycle, run
from chassis.settings import load

_LOOPBACK = "127.0.0.1"
_ALGORITHM = "ES256"
_DAY_SECONDS = 86_400.0

_log = structlog.get_logger(__name__)


class DevIssuerSettings(BaseSettings):
    """The type of `profile` is the lock: outside the local profile these settings do not load."""

    model_config = SettingsConfigDict(populate_by_name=True)

    profile: Literal["local"] = Field(
        validation_alias="ASCOLTO_PROFILE",
        description="local, the only profile in which made-up identities are allowed",
    )
    port: int = Field(
        default=0,
        ge=0,
        le=65_535,
        validation_alias="DEV_ISSUER_PORT",
        description="the port to listen on, 0 for a free one",
    )
    audience: str = Field(
        default="ascolto", min_length=1, validation_alias="AUTH_AUDIENCE", description="what tokens are meant for"
    )


class TokenRequest(BaseModel):
    """Body of `POST /token`."""

    model_config = ConfigDict(extra="forbid")

    subject: str = Field(min_length=1)
    tenant: str = Field(min_length=1)
    roles: list[str] = []
    lifetime_seconds: float = Field(default=3600.0, gt=0, le=_DAY_SECONDS)


class DevIssuer:
    """Async context manager; `url` is the issuer, `mint` makes tokens signed with a key of this very run."""

    def __init__(self, settings: DevIssuerSettings) -> None:
        self._settings = settings
        self._keys: dict[str, ec.EllipticCurvePrivateKey] = {}
        self._key_id = ""
        self._serving = AsyncExitStack()
        self.url = ""
        """What AUTH_ISSUER must say, once the block has been entered."""
        self.rotate()

    def mint(
        self,
        subject: str,
        tenant: str,
        roles: Iterable[str],
        lifetime_seconds: float = 3600.0,
        *,
        claims: Mapping[str, object] | None = None,
    ) -> str:
        """A signed token; `claims` replaces any of its claims, for tests of refusals."""
        now = time.time()
        usual = {
            "iss": self.url,
            "aud": self._settings.audience,
            "sub": subject,
            "tenant": tenant,
            "roles": sorted(roles),
            "iat": int(now),
            "exp": int(now + lifetime_seconds),
        }
        key = self._keys[self._key_id]
        return jwt.encode(usual | dict(claims or {}), key, algorithm=_ALGORITHM, headers={"kid": self._key_id})

    def rotate(self, *, keep_old: bool = True) -> str:
        """Sign with a new key from now on and return its id; without `keep_old` the published set holds it alone."""
        if not keep_old:
            self._keys.clear()
        self._key_id = secrets.token_hex(8)
        self._keys[self._key_id] = ec.generate_private_key(ec.SECP256R1())
        return self._key_id

    async def __aenter__(self) -> Self:
        listening = HttpSettings(host=_LOOPBACK, port=self._settings.port, drain_seconds=1.0)
        server = await self._serving.enter_async_context(serve_http(self._app(), listening))
        self.url = f"http://{server.host}:{server.port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._serving.aclose()

    def _app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._discovery),
                Route("/keys", self._key_set),
                Route("/token", self._token, methods=["POST"]),
            ],
            middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=[_LOOPBACK, "localhost"])],
        )

    async def _discovery(self, _request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.url,
                "jwks_uri": f"{self.url}/keys",
                "token_endpoint": f"{self.url}/token",
                "id_token_signing_alg_values_supported": [_ALGORITHM],
            }
        )

    async def _key_set(self, _request: Request) -> Response:
        return JSONResponse({"keys": [_public_jwk(key_id, key) for key_id, key in self._keys.items()]})

    async def _token(self, request: Request) -> Response:
        """Only `application/json` is read, which a web page of another origin cannot send without being asked."""
        if request.headers.get("content-type", "").split(";")[0].strip() != "application/json":
            return JSONResponse({"error": "invalid_request", "error_description": "send JSON"}, 415)
        try:
            wanted = TokenRequest.model_validate_json(await request.body())
        except ValidationError as error:
            detail = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
            return JSONResponse({"error": "invalid_request", "error_description": detail}, 422)
        token = self.mint(wanted.subject, wanted.tenant, wanted.roles, wanted.lifetime_seconds)
        return JSONResponse({"access_token": token, "token_type": "Bearer", "expires_in": int(wanted.lifetime_seconds)})


def _public_jwk(key_id: str, key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    public: dict[str, Any] = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return public | {"kid": key_id, "use": "sig", "alg": _ALGORITHM}


async def main(settings: DevIssuerSettings, lifecycle: Lifecycle) -> None:
    """Serve tokens until the process is stopped."""
    issuer = await lifecycle.enter(DevIssuer(settings))
    _log.info("dev_issuer_serving", url=issuer.url, tokens="POST /token")


if __name__ == "__main__":
    run(partial(main, load(DevIssuerSettings)), name="dev-issuer")
