"""What a vault says to who has no token, and its other refusals.

https://learn.microsoft.com/azure/key-vault/general/authentication-requests-and-responses; the
wording is that of recordings of real vaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

from airflow_multicloud.testing.local_clouds.azure.arm import TENANT_ID
from airflow_multicloud.testing.local_clouds.azure.arm.http import Refusal, origin_of
from airflow_multicloud.testing.local_clouds.azure.secrets import AUDIENCE
from airflow_multicloud.testing.local_clouds.kit.http import Answer

if TYPE_CHECKING:
    from werkzeug import Request

    from airflow_multicloud.testing.local_clouds.azure.identity.tokens import Tokens


class Challenging:
    """Who may ask.

    :param tokens: that are taken.
    """

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def check(self, request: Request, audience: str = AUDIENCE) -> None:  # noqa: ARG002 - its own
        """That the request bears a token for Key Vault.

        :raises Refusal: 401, with the challenge.
        """
        try:
            self._tokens.check(request, AUDIENCE)
        except Refusal:
            text = "Request is missing a Bearer or PoP token."
            if "authorization" in request.headers:
                text = "[BearerReadAccessTokenFailed] Error validating token: 'S2S12086'."
            authority = f"{origin_of(request)}/{TENANT_ID}"
            challenge = f'Bearer authorization="{authority}", resource="{AUDIENCE}"'
            raise Refusal(
                HTTPStatus.UNAUTHORIZED, "Unauthorized", text, {"WWW-Authenticate": challenge}
            ) from None


class VaultRefusal(Refusal):
    """A refusal with a code within its code.

    :param inner: that code.
    """

    def __init__(self, status: int, code: str, message: str, inner: str) -> None:
        super().__init__(status, code, message)
        body = {"error": {"code": code, "message": message, "innererror": {"code": inner}}}
        self.answer = Answer(status=status, body=body)


def not_found(name: str, *, deleted: bool = False) -> Refusal:
    """There is none of this name."""
    what = "Deleted Secret" if deleted else "Secret"
    return Refusal(HTTPStatus.NOT_FOUND, "SecretNotFound", f"{what} not found: {name}")


def bad(message: str) -> Refusal:
    """A request that is wrong in itself."""
    return Refusal(HTTPStatus.BAD_REQUEST, "BadParameter", message)


def conflict(name: str, state: str) -> Refusal:
    """A name that is taken by what was deleted.

    :param state: ``ObjectIsDeletedButRecoverable``, ``ObjectIsBeingDeleted`` or
        ``ObjectIsBeingRecovered``.
    """
    told = {
        "ObjectIsDeletedButRecoverable": "is currently in a deleted but recoverable state",
        "ObjectIsBeingDeleted": "is currently being deleted",
        "ObjectIsBeingRecovered": "is currently being recovered",
    }[state]
    text = f"Secret {name} {told}, and its name cannot be reused."
    return VaultRefusal(HTTPStatus.CONFLICT, "Conflict", text, state)


def disabled() -> Refusal:
    """A version that can't be read."""
    return VaultRefusal(
        HTTPStatus.FORBIDDEN,
        "Forbidden",
        "Operation get is not allowed on a disabled secret.",
        "SecretDisabled",
    )


#: Kind of a planted fault → status, code, message, code within.
FAULTS: Mapping[str, tuple[int, str, str, str]] = {
    "throttled": (429, "Throttled", "Request was not processed because too many requests.", ""),
    "unavailable": (503, "ServiceUnavailable", "The service is unavailable.", ""),
    "permission_denied": (
        403,
        "Forbidden",
        "Caller is not authorized to perform action on resource.",
        "ForbiddenByRbac",
    ),
}
