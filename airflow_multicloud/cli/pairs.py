"""``NAME=VALUE`` as it is typed on a command line."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_multicloud.errors import CloudError, ErrorKind


def pairs(
    option: str,
    given: Sequence[str],
    expected: str = "CLOUD=REGION, like aws=eu-central-1",
) -> tuple[tuple[str, str], ...]:
    """``NAME=VALUE``, several times.

    :param expected: in words, for errors.
    :raises CloudError: kind ``invalid_argument``, naming the option.
    """
    found = []
    for text in given:
        name, sign, value = text.rpartition("=")
        if not (name and sign and value):
            raise CloudError(
                f"{option}: {text!r} given, expected {expected}", kind=ErrorKind.INVALID_ARGUMENT
            )
        found.append((name, value))
    return tuple(found)
