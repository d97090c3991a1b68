"""The error after which Airflow asks no other secrets backend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import exceptions

from airflow_multicloud.errors import SecretsError

if TYPE_CHECKING:
    from airflow.sdk.exceptions import AirflowSecretsBackendAccessDenied as LastWord
else:
    # Before Airflow 3.2.2 no error is one: it is logged, and the next backend is asked.
    LastWord = getattr(exceptions, "AirflowSecretsBackendAccessDenied", PermissionError)


class SecretRefusedError(SecretsError, LastWord):
    """Stores have different values of a secret, and none of them is to be used (``integrity``)."""


def refusal_of(err: SecretsError) -> SecretRefusedError:
    """An error of a lookup as one after which Airflow looks nowhere else."""
    return SecretRefusedError(
        str(err), kind=err.kind, cloud=err.cloud, code=err.code, retry_after=err.retry_after
    )
