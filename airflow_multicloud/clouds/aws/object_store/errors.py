"""What S3's errors mean, whether boto3 or obstore met them.

Codes: "Error responses" of the Amazon S3 API reference
(docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any, Final

import obstore.exceptions as obs
from botocore.exceptions import ClientError

from airflow_multicloud.adapters import obstore as _obstore
from airflow_multicloud.adapters.errors import ErrorTable, by_code
from airflow_multicloud.clouds.aws import NAME, errors
from airflow_multicloud.clouds.aws.errors import BASE, Meaning, code_of
from airflow_multicloud.errors import CredentialsError, ErrorKind, RetentionError, StorageError
from airflow_multicloud.ports.object_store import IfAbsent, IfUnchanged, WriteCondition

# Without the endings of EC2's codes: stores that speak S3 have codes of their own, and name with
# ``…LimitExceeded`` what passes with time.
TABLE: Final = replace(BASE, suffixes={}).overlay(
    by_code(
        {
            ErrorKind.NOT_FOUND: "NoSuchBucket NoSuchKey NoSuchTagSet NoSuchUpload NoSuchVersion",
            ErrorKind.ALREADY_EXISTS: "BucketAlreadyExists BucketAlreadyOwnedByYou",
            ErrorKind.PRECONDITION_FAILED: (
                "304 409 412 ConditionalRequestConflict PreconditionFailed"
            ),
            ErrorKind.PERMISSION_DENIED: "AccountProblem AllAccessDisabled MethodNotAllowed",
            ErrorKind.UNAUTHENTICATED: (
                "AuthorizationHeaderMalformed InvalidSecurity InvalidToken RequestTimeTooSkewed "
                "TokenRefreshRequired"
            ),
            ErrorKind.QUOTA: (
                "EntityTooLarge InsufficientStorageCapacity TooManyBuckets TooManyParts"
            ),
            ErrorKind.INTEGRITY: (
                "BadDigest IncompleteBody InvalidPart InvalidPartOrder XAmzContentChecksumMismatch "
                "XAmzContentSHA256Mismatch"
            ),
            ErrorKind.INVALID_ARGUMENT: (
                "416 EncryptionTypeMismatch EntityTooSmall IllegalLocationConstraintException "
                "InvalidArgument InvalidBucketName InvalidDigest InvalidLocationConstraint "
                "InvalidRange InvalidStorageClass InvalidTag InvalidURI InvalidWriteOffset "
                "KeyTooLongError MalformedXML MetadataTooLarge PermanentRedirect Redirect "
                "TemporaryRedirect"
            ),
            # An archived object can't be read before it is restored: the same kind on every cloud.
            ErrorKind.UNSUPPORTED: "InvalidObjectState ObjectNotInActiveTierError",
        }
    )
)

# S3 answers 412 to an unmet condition, 409 ConditionalRequestConflict to a race that was lost, and
# 404 to If-Match on a key without object.
_IF_ABSENT = TABLE.overlay(
    by_code({ErrorKind.ALREADY_EXISTS: "304 409 412 ConditionalRequestConflict PreconditionFailed"})
)
_IF_UNCHANGED = TABLE.overlay(by_code({ErrorKind.PRECONDITION_FAILED: "404 NoSuchKey"}))

#: A GET is refused with ExpiredToken, InvalidToken or AuthorizationHeaderMalformed, all of them
#: HTTP 400; a HEAD with a bare 400 (botocore/utils.py, redirect_from_error, says the same of a
#: wrong region, which it has tried to mend before the error comes here). Where a GET can be made
#: in its place it has been asked for the reason, and had none (:func:`told_why`).
_BARE_400 = (
    ": S3's answer to HEAD has no reason in it; most likely the session token is expired or "
    "invalid, else the region is wrong or the request malformed"
)

_ARCHIVED = (
    ": the object is archived (S3 Glacier Flexible Retrieval or Deep Archive, or an archive tier "
    "of Intelligent-Tiering); restore it first (aws s3api restore-object), which takes minutes to "
    "two days, then try again"
)
_HINTS = {"InvalidObjectState": _ARCHIVED, "ObjectNotInActiveTierError": _ARCHIVED}

# "Access Denied because object protected by object lock"; others that speak S3 say WORM.
_KEPT = re.compile(r"object lock|\bWORM\b|retention", re.IGNORECASE)
_CODE = re.compile(r"<Code>([^<]+)</Code>")
_MESSAGE = re.compile(r"<Message>([^<]+)</Message>")


def table_for(condition: WriteCondition | None) -> ErrorTable:
    """What S3's codes mean for a write that is bound to a condition."""
    match condition:
        case IfAbsent():
            return _IF_ABSENT
        case IfUnchanged():
            return _IF_UNCHANGED
        case None:
            return TABLE


def translated(
    doing: str, *, condition: WriteCondition | None = None
) -> AbstractContextManager[None]:
    """Turn botocore's exceptions into this package's, as S3 means them.

    :param doing: the call and what it was for, which begins the message.
    :param condition: what the write was bound to.
    """
    return errors.translated(doing, table=table_for(condition), area=StorageError, refined=_refined)


def _refined(error: ClientError, meaning: Meaning) -> Meaning:
    code = code_of(error)
    if code == "400" and error.operation_name.startswith("Head"):
        return replace(meaning, kind=ErrorKind.UNAUTHENTICATED, hint=_BARE_400)
    return replace(meaning, area=_area(meaning.kind, str(error)), hint=_HINTS.get(code, ""))


def _area(kind: ErrorKind, text: str) -> type[StorageError]:
    kept = kind is ErrorKind.PERMISSION_DENIED and _KEPT.search(text)
    return RetentionError if kept else StorageError


@contextmanager
def translated_obstore(doing: str, condition: WriteCondition | None = None) -> Iterator[None]:
    """Turn obstore's exceptions into this package's, by S3's own error code where it is told.

    :param doing: the call and what it was for, which begins the message.
    :param condition: what the write was bound to.
    """
    with _obstore.translated(NAME, doing):
        try:
            yield
        except (obs.BaseError, FileNotFoundError) as error:
            text = str(error)
            found = _CODE.search(text)
            kind = table_for(condition).kind_of_code(found[1]) if found else None
            if found is None or kind is None:
                raise
            said = _MESSAGE.search(text)
            reason = f"{found[1]}: {said[1]}" if said else found[1]
            cls = CredentialsError if kind is ErrorKind.UNAUTHENTICATED else _area(kind, reason)
            hint = _HINTS.get(found[1], "")
            message = f"{doing}: {_obstore.redact(text)} ({_obstore.redact(reason)}){hint}"
            raise cls(message, kind=kind, cloud=NAME, code=found[1]) from None


def told_why(
    head: Callable[[], Any], get: Callable[[], object], *, statuses: Collection[str]
) -> Any:
    """What HEAD answers; where that is an error without a reason, the GET's that has one.

    Credentials that expired, a key of the customer's own that was not sent and a malformed
    request are all a bare 400 to HEAD, as is each refusal of credentials a bare 403.

    :param head: makes the request.
    :param get: makes the request whose answer is worth the reason only.
    :param statuses: those of HEAD to ask again for.
    """
    try:
        return head()
    except ClientError as error:
        if code_of(error) in statuses:
            try:
                get()
            except ClientError as reason:
                # That of an empty object: there is no first byte to ask for.
                if code_of(reason) != "InvalidRange":
                    raise reason from None
        raise
