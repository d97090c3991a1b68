"""What errors mean when Google is asked who the caller is: the same as in every service."""

from __future__ import annotations

from contextlib import AbstractContextManager, suppress

from google.api_core.exceptions import GoogleAPICallError

from airflow_multicloud.adapters.answers import MALFORMED
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


def is_googles(error: CredentialsError) -> bool:
    """Whether an answer tells its error in Google's shape.

    That of a server which does not know the call does not: a 404 of its own, no missing resource.
    https://cloud.google.com/apis/design/errors has a ``status``, Cloud Storage's has ``errors``.

    :param error: what :func:`translated` raised.
    """
    cause = error.__cause__
    with suppress(*MALFORMED):
        if isinstance(cause, GoogleAPICallError):
            told = cause.response.json()["error"]
            return bool(told.get("status") or told.get("errors"))
    return False
