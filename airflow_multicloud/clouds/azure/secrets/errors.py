"""What Key Vault's errors mean.

"Common error codes" (https://learn.microsoft.com/azure/key-vault/general/common-error-codes) and
"REST API error codes" (https://learn.microsoft.com/azure/key-vault/general/rest-error-codes). The
cause is in ``innererror`` where the code is as general as ``Forbidden`` or ``Conflict``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from azure.core.exceptions import HttpResponseError

from airflow_multicloud.adapters.errors import by_code
from airflow_multicloud.clouds.azure import NAME, errors
from airflow_multicloud.errors import CredentialsError, ErrorKind, SecretsError

T = TypeVar("T")

TABLE: Final = errors.BASE.overlay(
    by_code(
        {
            ErrorKind.NOT_FOUND: "SecretNotFound",
            ErrorKind.ALREADY_EXISTS: "ObjectIsDeletedButRecoverable",
            ErrorKind.PRECONDITION_FAILED: "SecretDisabled",
            ErrorKind.BUSY: "ObjectIsBeingDeleted ObjectIsBeingRecovered",
            ErrorKind.INVALID_ARGUMENT: "BadParameter",
            ErrorKind.PERMISSION_DENIED: (
                "AccessDenied ForbiddenByConnection ForbiddenByFirewall ForbiddenByPolicy "
                "ForbiddenByRbac"
            ),
            ErrorKind.UNAUTHENTICATED: "Unauthorized",
            ErrorKind.THROTTLED: "Throttled",
        }
    ),
    # A vault says so with a code: 404 alone is a proxy's answer, or that of another server.
    statuses={404: ErrorKind.UNAVAILABLE},
)


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """:func:`airflow_multicloud.clouds.azure.errors.translated` for Key Vault.

    :param doing: the call and what it is about, for the message.
    :raises SecretsError: the vault or the way to it failed.
    :raises CredentialsError: there are no usable credentials, they were refused as such, or the
        host is not a vault.
    """
    try:
        with errors.translated(doing, table=TABLE, area=SecretsError), _inner_told(doing):
            yield
    except ValueError as err:
        # Of the SDK's check of who asks for the token: a vault's own domain, by its challenge.
        raise CredentialsError(
            f"{doing}: key_vault_url: the answer is no Key Vault's ({str(err).split('. ')[0]})",
            kind=ErrorKind.INVALID_ARGUMENT,
            cloud=NAME,
        ) from None


@contextmanager
def _inner_told(doing: str) -> Iterator[None]:
    try:
        yield
    except HttpResponseError as err:
        code = _inner_code(err)
        kind = TABLE.kind_of_code(code)
        if kind is None:
            raise
        raise errors.error_of(
            err, doing, kind=kind, code=code, area=SecretsError, hints={}
        ) from None


def _inner_code(err: HttpResponseError) -> str | None:
    inner: Any = getattr(err.error, "innererror", None)
    code = inner.get("code") if isinstance(inner, Mapping) else None
    return code if isinstance(code, str) else None


def if_there(doing: str, read: Callable[[], T]) -> T | None:
    """What is read, or ``None`` when there is none.

    :param doing: as for :func:`translated`.
    :raises SecretsError: any other failure.
    """
    try:
        with translated(doing):
            return read()
    except SecretsError as err:
        if err.kind is ErrorKind.NOT_FOUND:
            return None
        raise


def failure(text: str, kind: ErrorKind) -> SecretsError:
    """An error of this service that no answer told."""
    return SecretsError(text, kind=kind, cloud=NAME)
