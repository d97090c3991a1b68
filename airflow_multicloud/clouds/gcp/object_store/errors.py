"""What Cloud Storage's errors mean.

Reasons: https://cloud.google.com/storage/docs/json_api/v1/status-codes
"""

from __future__ import annotations

import re
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from airflow_multicloud.adapters.errors import by_code
from airflow_multicloud.clouds.gcp import NAME, errors
from airflow_multicloud.clouds.gcp.errors import BASE, Meaning, Refusal
from airflow_multicloud.errors import ErrorKind, RetentionError, StorageError
from airflow_multicloud.ports.object_store import IfAbsent, WriteCondition

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLE = BASE.overlay(
    by_code(
        {
            ErrorKind.PERMISSION_DENIED: (
                # The last one comes with status 412, but no condition of the request failed.
                "retentionPolicyNotMet objectUnderActiveHold orgPolicyConstraintFailed"
            ),
        }
    )
)

# https://cloud.google.com/storage/docs/bucket-lock and …/object-holds
_KEPT_CODES = ("retentionPolicyNotMet", "objectUnderActiveHold")
_KEPT_TEXT = re.compile(r"retention policy|object retention|under active .*hold", re.IGNORECASE)
_CHECKSUM_TEXT = "doesn't match calculated"


def translated(doing: str) -> AbstractContextManager[None]:
    """Turn the exceptions of Cloud Storage and of the way there into this package's.

    :param doing: the call and what it was about, for the message.
    :raises StorageError: with the cause's kind.
    """
    return errors.translated(doing, table=TABLE, area=StorageError, refine=_refined)


@contextmanager
def conditional(doing: str, condition: WriteCondition | None) -> Iterator[None]:
    """Say ``already_exists`` where a write was to happen only without an object.

    :raises StorageError: in place of one of kind ``precondition_failed``.
    """
    try:
        yield
    except StorageError as err:
        if err.kind is ErrorKind.PRECONDITION_FAILED and isinstance(condition, IfAbsent):
            raise StorageError(
                f"{doing}: the object exists",
                kind=ErrorKind.ALREADY_EXISTS,
                cloud=NAME,
                code=err.code,
            ) from err
        raise


def _refined(refusal: Refusal, meaning: Meaning) -> Meaning:
    # A wrong checksum is answered with 400 "invalid", as is everything else that is invalid.
    if refusal.status == HTTPStatus.BAD_REQUEST and _CHECKSUM_TEXT in refusal.text:
        return replace(meaning, kind=ErrorKind.INTEGRITY)
    kept = refusal.reason in _KEPT_CODES or _KEPT_TEXT.search(refusal.text)
    if meaning.kind is ErrorKind.PERMISSION_DENIED and kept:
        return replace(meaning, area=RetentionError)
    return meaning
