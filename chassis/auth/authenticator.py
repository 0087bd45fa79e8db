"""Turns a bearer token into a Principal, or says why it is refused."""

import re
from collections.abc import Mapping
from typing import Any

import jwt

from chassis.api_errors import ApiError, ChassisReason, unauthenticated
from chassis.auth.keys import ALGORITHMS, SigningKeys
from chassis.auth.memory import TokenMemory, Verified
from chassis.auth.principal import Principal
from chassis.auth.settings import AuthSettings

_SCHEME = "bearer "
_MAXIMUM_TOKEN_CHARACTERS = 16 * 1024
_TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_REQUIRED_CLAIMS = ("exp", "iss", "aud", "sub")


class Authenticator:
    """Verifies JWTs (RS256 or ES256) of one issuer: signature, iss, aud, exp, nbf, and the claims of a Principal.

    The issuer may be away when this is made; the first calls then fail as UNAVAILABLE until it is back.
    """

    def __init__(self, settings: AuthSettings, keys: SigningKeys | None = None) -> None:
        self._settings = settings
        self._keys = keys or SigningKeys(settings)
        self._memory = TokenMemory()

    async def authenticate(self, authorization: str | None) -> Principal:
        """The principal that the value of an `authorization` header stands for.

        Raises ApiError UNAUTHENTICATED with reason TOKEN_MISSING, TOKEN_EXPIRED or TOKEN_INVALID, or UNAVAILABLE
        with reason ISSUER_UNAVAILABLE.
        """
        token = _bearer(authorization)
        known = self._memory.recall(token)
        key = await self._keys.find(str(known.key.key_id) if known else _key_id(token))
        if key is None:
            raise _invalid("its key is not one of the issuer's")
        if known is not None and known.key is key:
            return known.principal
        claims = self._verified_claims(token, key)
        principal = principal_of(claims, self._settings)
        self._memory.remember(token, Verified(key, int(claims["exp"]), principal))
        return principal

    def _verified_claims(self, token: str, key: jwt.PyJWK) -> Mapping[str, Any]:
        try:
            return jwt.decode(
                token,
                key=key,
                algorithms=ALGORITHMS,
                issuer=self._settings.issuer,
                audience=self._settings.audience,
                leeway=self._settings.leeway_seconds,
                options={"require": list(_REQUIRED_CLAIMS), "strict_aud": False},
            )
        except jwt.ExpiredSignatureError:
            message = "The token has expired: sign in again."
            raise unauthenticated(ChassisReason.TOKEN_EXPIRED, message) from None
        except jwt.InvalidAudienceError:
            raise _invalid(f"it is not meant for the audience {self._settings.audience}") from None
        except jwt.InvalidIssuerError:
            raise _invalid(f"it does not come from {self._settings.issuer}") from None
        except jwt.ImmatureSignatureError:
            raise _invalid("it is not valid yet; check the clocks") from None
        except jwt.MissingRequiredClaimError as missing:
            raise _invalid(f"it lacks the claim {missing.claim}") from None
        except (jwt.PyJWTError, ValueError, TypeError):
            raise _invalid("its signature or its form is wrong") from None


def principal_of(claims: Mapping[str, Any], settings: AuthSettings) -> Principal:
    """The principal in verified claims; ApiError UNAUTHENTICATED where a claim has another shape than agreed."""
    subject, tenant = claims.get("sub"), claims.get(settings.tenant_claim)
    roles = claims.get(settings.roles_claim, [])
    if not isinstance(subject, str) or not subject:
        raise _invalid("its claim sub is not a non-empty text")
    if not isinstance(tenant, str) or not _TENANT.fullmatch(tenant):
        raise _invalid(f"its claim {settings.tenant_claim} is not the name of a tenant")
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        raise _invalid(f"its claim {settings.roles_claim} is not a list of texts")
    return Principal(subject=subject, tenant=tenant, roles=frozenset(roles))


def _bearer(authorization: str | None) -> str:
    if not authorization or not authorization.lower().startswith(_SCHEME):
        message = "Send `authorization: Bearer <token>` with the call."
        raise unauthenticated(ChassisReason.TOKEN_MISSING, message)
    token = authorization[len(_SCHEME) :].strip()
    if len(token) > _MAXIMUM_TOKEN_CHARACTERS:
        raise _invalid("it is too long")
    return token


def _key_id(token: str) -> str:
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, TypeError):
        raise _invalid("it is not a JWT") from None
    if header.get("alg") not in ALGORITHMS:
        raise _invalid(f"it is signed with another algorithm than {' or '.join(ALGORITHMS)}")
    key_id = header.get("kid")
    if not isinstance(key_id, str) or not key_id:
        raise _invalid("its header names no key (kid)")
    return key_id


def _invalid(why: str) -> ApiError:
    message = f"The token is refused: {why}. Get a new one from the issuer."
    return unauthenticated(ChassisReason.TOKEN_INVALID, message)
