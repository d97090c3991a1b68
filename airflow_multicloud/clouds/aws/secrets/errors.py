"""What Secrets Manager's errors mean.

"Errors" of each operation in the AWS Secrets Manager API Reference, as botocore's service model
has them.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Final

from airflow_multicloud.adapters.errors import by_code
from airflow_multicloud.clouds.aws import NAME, errors
from airflow_multicloud.clouds.aws.errors import BASE
from airflow_multicloud.errors import ErrorKind, SecretsError

TABLE: Final = BASE.overlay(
    by_code(
        {
            # "A parameter value is not valid for the current state of the resource": a secret
            # that is marked for deletion, say.
            ErrorKind.PRECONDITION_FAILED: "InvalidRequestException PreconditionNotMetException",
            ErrorKind.INVALID_ARGUMENT: (
                "InvalidParameterException MalformedPolicyDocumentException ValidationException"
            ),
            # The KMS key of the secret is not there, not enabled, or not for this caller.
            ErrorKind.PERMISSION_DENIED: "DecryptionFailure EncryptionFailure",
            # Secrets Manager says so with a code of its own: 404 alone is not its answer, but that
            # of a proxy or another server at this address.
            ErrorKind.UNAVAILABLE: "404 InternalServiceError",
            # A page's token ran out: begin at the first.
            ErrorKind.SOURCE_CHANGED: "InvalidNextTokenException",
        }
    )
)


def translated(doing: str) -> AbstractContextManager[None]:
    """Turn botocore's exceptions into this package's, as Secrets Manager means them.

    :param doing: the call and what it was for, which begins the message.
    """
    return errors.translated(doing, table=TABLE, area=SecretsError)


def failure(message: str, kind: ErrorKind) -> SecretsError:
    """An error that is found here."""
    return SecretsError(message, kind=kind, cloud=NAME)
