"""What STS's errors mean: all that it refuses, it refuses to the credentials.

"Errors" of each operation in the AWS Security Token Service API reference.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Final

from airflow_multicloud.clouds.aws import errors
from airflow_multicloud.clouds.aws.errors import BASE
from airflow_multicloud.errors import CredentialsError

#: STS has no codes of its own beside those of taking on a role, which opening any connection may
#: meet.
TABLE: Final = BASE


def translated(doing: str) -> AbstractContextManager[None]:
    """Turn botocore's exceptions into this package's, as STS means them.

    :param doing: the call and what it was for, which begins the message.
    """
    return errors.translated(doing, table=TABLE, area=CredentialsError)
