"""What errors mean where AWS is asked who the caller is, and what it may do.

"Errors" of each operation in the API references of the AWS Security Token Service and of IAM, and
of S3's ``GetBucketPolicy``.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Final

from botocore.exceptions import ClientError

from airflow_multicloud.adapters.errors import by_code
from airflow_multicloud.clouds.aws import errors
from airflow_multicloud.clouds.aws.errors import BASE, Meaning, code_of
from airflow_multicloud.errors import CredentialsError, ErrorKind

#: STS has no codes of its own beside those of taking on a role, which opening any connection may
#: meet. IAM's simulator refuses an action or a policy that it can't evaluate.
TABLE: Final = BASE.overlay(
    by_code(
        {
            ErrorKind.INVALID_ARGUMENT: "InvalidInput PolicyEvaluation PolicyEvaluationException",
            ErrorKind.NOT_FOUND: "NoSuchBucket",
            ErrorKind.UNAVAILABLE: "ServiceFailure",
        }
    )
)


def translated(doing: str) -> AbstractContextManager[None]:
    """Turn botocore's exceptions into this package's, as STS and IAM mean them.

    :param doing: the call and what it was for, which begins the message.
    """
    return errors.translated(doing, table=TABLE, area=CredentialsError)


def granting(doing: str) -> AbstractContextManager[None]:
    """The same where a role is taken on to have less than the caller has: it has credentials.

    :param doing: the call and what it was for, which begins the message.
    """
    return errors.translated(doing, table=TABLE, area=CredentialsError, refined=_as_refused)


def _as_refused(error: ClientError, meaning: Meaning) -> Meaning:
    kind = TABLE.kind_of_code(code_of(error))
    return meaning if kind is None else replace(meaning, kind=kind)
