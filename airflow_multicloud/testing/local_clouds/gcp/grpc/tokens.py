"""Access tokens for what a service account has signed.

https://developers.google.com/identity/protocols/oauth2/service-account#authorizingrequests
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

import grpc
from google.auth import jwt
from google.auth.exceptions import GoogleAuthError
from google.rpc.error_details_pb2 import ErrorInfo

from airflow_multicloud.testing.local_clouds.gcp.grpc.services import Refused
from airflow_multicloud.testing.local_clouds.gcp.service_account import TOKEN_PATH
from airflow_multicloud.testing.local_clouds.kit.http import Answer, Respond
from airflow_multicloud.testing.local_clouds.kit.state import State, administration

if TYPE_CHECKING:
    from werkzeug import Request

_LIFETIME_S = 3600
_BEARER = "Bearer "


class Tokens:
    """The tokens that were given.

    :param public_key: of the account that gets any, as PEM.
    """

    def __init__(self, public_key: str) -> None:
        self._public_key = public_key
        self._ends: dict[str, float] = {}

    def give(self, request: Request) -> Answer:
        """The token endpoint."""
        try:
            jwt.decode(request.form.get("assertion", ""), self._public_key)  # type: ignore[no-untyped-call]
        except (GoogleAuthError, ValueError):
            told = {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
            return Answer(status=HTTPStatus.BAD_REQUEST, body=told)
        token = secrets.token_urlsafe()
        self._ends[token] = time.monotonic() + _LIFETIME_S
        body = {"access_token": token, "expires_in": _LIFETIME_S, "token_type": "Bearer"}
        return Answer(body=body)

    def check(self, headers: Mapping[str, str]) -> None:
        """Let in who has one.

        :param headers: with names in small letters.
        :raises Refused: else.
        """
        given = headers.get("authorization", "")
        if not given.startswith(_BEARER):
            reason = "CREDENTIALS_MISSING"
        elif self._ends.get(given.removeprefix(_BEARER), 0.0) < time.monotonic():
            reason = "ACCESS_TOKEN_EXPIRED"
        else:
            return
        raise Refused(
            grpc.StatusCode.UNAUTHENTICATED,
            "Request had invalid authentication credentials. Expected OAuth 2 access token, login "
            "cookie or other valid authentication credential.",
            ErrorInfo(reason=reason, domain="googleapis.com"),
        )


def administering(state: State, tokens: Tokens) -> Respond:
    """The administration of a server, and the token endpoint beside it.

    :param tokens: that it gives.
    """
    administer = administration(state)

    def respond(request: Request) -> Answer:
        if (request.method, request.path) == ("POST", TOKEN_PATH):
            return tokens.give(request)
        return administer(request)

    return respond
