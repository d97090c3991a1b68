"""What Secret Manager's errors mean: the same as those of all Google services, except checksums."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from airflow_multicloud.clouds.gcp import errors
from airflow_multicloud.clouds.gcp.errors import BASE, Meaning, Refusal
from airflow_multicloud.clouds.gcp.tries import cause_told
from airflow_multicloud.errors import ErrorKind, SecretsError

TABLE: Final = BASE

_CHECKSUM: Final = re.compile(r"crc32c|checksum", re.IGNORECASE)


def refined(refusal: Refusal, meaning: Meaning) -> Meaning:
    """Google calls it an invalid argument when a value was changed on its way."""
    if meaning.kind is ErrorKind.INVALID_ARGUMENT and _CHECKSUM.search(refusal.text):
        return replace(meaning, kind=ErrorKind.INTEGRITY)
    return meaning


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn the exceptions of Secret Manager, and of the way there, into this package's.

    :param doing: the call and what it was about, for the message.
    :raises SecretsError: with the cause's kind.
    """
    with (
        errors.translated(doing, table=TABLE, area=SecretsError, refine=refined),
        cause_told(),
    ):
        yield
