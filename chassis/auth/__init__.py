"""Who is calling: bearer tokens verified against the keys of an OIDC issuer, and what the caller may do."""

from chassis.auth.authenticator import Authenticator
from chassis.auth.principal import Principal, acting_as, current_principal, require
from chassis.auth.settings import AuthSettings

__all__ = ["AuthSettings", "Authenticator", "Principal", "acting_as", "current_principal", "require"]
