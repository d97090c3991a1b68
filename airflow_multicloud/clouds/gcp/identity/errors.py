"""What errors mean when Google is asked who the caller is: the same as in every service."""

from __future__ import annotations

from contextlib import AbstractContextManager

from airflow_multicloud.clouds.gcp import errors
from airflow_multicloud.clouds.gcp.errors import BASE
from airflow_multicloud.errors import CredentialsError

TABLE = BASE


def translated(doing: str) -> AbstractContextManager[None]:
    """Turn the exceptions of the token endpoint and of the way there into this package's.

    :param doing: the call and what it was about, for the message.
    :raises CredentialsError: with the cause's kind.
    """
    return errors.translated(doing, table=TABLE, area=CredentialsError)
