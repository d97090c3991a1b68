"""Microsoft Entra's token endpoint for applications with a secret, and the check of its tokens.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow; error
codes and texts: https://learn.microsoft.com/entra/identity-platform/reference-error-codes.
"""

from __future__ import annotations

import re
import secrets
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import jwt
from werkzeug import Request

from airflow_multicloud.testing.local_clouds.azure.arm import (
    AUDIENCE,
    CLIENT_ID,
    CLIENT_SECRET,
    OBJECT_ID,
    TENANT_ID,
)
from airflow_multicloud.testing.local_clouds.azure.arm.http import Call, Refusal, Route, origin_of
from airflow_multicloud.testing.local_clouds.kit.http import Answer

_ALGORITHM = "HS256"


@dataclass(frozen=True, slots=True)
class Tokens:
    """Issues and checks tokens, signed with a key that only this process has.

    :param audiences: whom tokens are issued for.
    """

    lifetime: timedelta = timedelta(hours=1)
    audiences: tuple[str, ...] = (AUDIENCE,)
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def routes(self) -> list[Route]:
        """What MSAL asks first, and the token endpoint."""
        return [
            Route(
                method="GET",
                path=re.compile(r"/(?P<tenant>[^/]+)/v2\.0/\.well-known/openid-configuration"),
                handler=_discovery,
                public=True,
            ),
            Route(
                method="POST",
                path=re.compile(r"/(?P<tenant>[^/]+)/oauth2/v2\.0/token"),
                handler=self._grant,
                public=True,
            ),
        ]

    def issue(self, *, audience: str = AUDIENCE, lifetime: timedelta | None = None) -> str:
        """A token; tests make ones that are refused."""
        now = datetime.now(UTC)
        claims = {
            "aud": audience,
            "iss": f"https://sts.windows.net/{TENANT_ID}/",
            "iat": now - timedelta(days=1),
            "exp": now + (self.lifetime if lifetime is None else lifetime),
            "appid": CLIENT_ID,
            "oid": OBJECT_ID,
            "tid": TENANT_ID,
        }
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM)

    def check(self, request: Request, audience: str = AUDIENCE) -> None:
        """That the request bears a token.

        :param audience: whom it must be for.
        :raises Refusal: 401.
        """
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.casefold() != "bearer" or not token:
            raise _refused(
                request,
                "AuthenticationFailed",
                "Authentication failed. The 'Authorization' header is missing or not 'Bearer'.",
            )
        try:
            jwt.decode(token, self._key, algorithms=[_ALGORITHM], audience=audience)
        except jwt.ExpiredSignatureError:
            now = datetime.now(UTC)
            raise _refused(
                request,
                "ExpiredAuthenticationToken",
                f"The access token expiry UTC time is earlier than current UTC time '{now}'.",
            ) from None
        except jwt.InvalidAudienceError:
            raise _refused(
                request,
                "InvalidAuthenticationTokenAudience",
                "The access token has been obtained for wrong audience or resource. It should "
                f"exactly match with one of the allowed audiences '{audience}'.",
            ) from None
        except jwt.InvalidTokenError:
            raise _refused(
                request, "InvalidAuthenticationToken", "The access token is invalid."
            ) from None

    def _grant(self, call: Call) -> Answer:
        form = call.request.form
        if call.variables["tenant"] != TENANT_ID:
            return _no_tenant(call)
        if form.get("grant_type") != "client_credentials":
            return _entra_error(
                HTTPStatus.BAD_REQUEST,
                "unsupported_grant_type",
                70003,
                "The app requested an unsupported grant type.",
            )
        if form.get("client_id") != CLIENT_ID:
            return _entra_error(
                HTTPStatus.BAD_REQUEST,
                "unauthorized_client",
                700016,
                f"Application with identifier '{form.get('client_id')}' was not found in the "
                "directory 'local'.",
            )
        if not secrets.compare_digest(form.get("client_secret", ""), CLIENT_SECRET):
            return _entra_error(
                HTTPStatus.UNAUTHORIZED,
                "invalid_client",
                7000215,
                "Invalid client secret provided. Ensure the secret being sent in the request is "
                f"the client secret value, not the client secret ID, for a secret added to app "
                f"'{CLIENT_ID}'.",
            )
        audience = self._audience_of(form.get("scope", ""))
        if audience is None:
            return _entra_error(
                HTTPStatus.BAD_REQUEST,
                "invalid_scope",
                1002012,
                f"The provided value for scope {form.get('scope')} is not valid. Client credential "
                "flows must have a scope value with /.default suffixed to the resource identifier.",
            )
        seconds = int(self.lifetime.total_seconds())
        return Answer(
            body={
                "token_type": "Bearer",
                "expires_in": seconds,
                "ext_expires_in": seconds,
                "access_token": self.issue(audience=audience),
            }
        )

    def _audience_of(self, scope: str) -> str | None:
        """Whom a scope is of: it may be written with a slash more."""
        for audience in self.audiences:
            if scope in (f"{audience}/.default", f"{audience}//.default"):
                return audience
        return None


def _discovery(call: Call) -> Answer:
    """OpenID Connect Discovery 1.0, as much as MSAL reads of it."""
    if call.variables["tenant"] != TENANT_ID:
        return _no_tenant(call)
    base = f"{call.origin}/{TENANT_ID}"
    return Answer(
        body={
            "issuer": f"{base}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }
    )


def _no_tenant(call: Call) -> Answer:
    tenant = call.variables["tenant"]
    return _entra_error(
        HTTPStatus.BAD_REQUEST, "invalid_tenant", 90002, f"Tenant '{tenant}' not found."
    )


def _entra_error(status: int, error: str, code: int, text: str) -> Answer:
    now = datetime.now(UTC)
    ids: dict[str, Any] = {
        "trace_id": str(uuid.uuid4()),
        "correlation_id": str(uuid.uuid4()),
        "timestamp": f"{now:%Y-%m-%d %H:%M:%SZ}",
    }
    description = (
        f"AADSTS{code}: {text} Trace ID: {ids['trace_id']} Correlation ID: "
        f"{ids['correlation_id']} Timestamp: {ids['timestamp']}"
    )
    return Answer(
        status=status,
        body={
            "error": error,
            "error_description": description,
            "error_codes": [code],
            **ids,
            "error_uri": f"https://login.microsoftonline.com/error?code={code}",
        },
    )


def _refused(request: Request, code: str, message: str) -> Refusal:
    challenge = (
        f'Bearer authorization_uri="{origin_of(request)}/{TENANT_ID}", error="invalid_token", '
        f'error_description="{code}"'
    )
    return Refusal(HTTPStatus.UNAUTHORIZED, code, message, {"WWW-Authenticate": challenge})
