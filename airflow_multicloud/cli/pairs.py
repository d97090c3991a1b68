"""``NAME=VALUE`` as it is typed on a command line."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_multicloud.errors import CostAnalysisError, ErrorKind


def pairs(option: str, given: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """``NAME=VALUE``, several times.

    :raises CloudError: kind ``invalid_argument``, naming the option.
    """
    found = []
    for text in given:
        name, sign, value = text.partition("=")
        if not (name and sign and value):
            raise CostAnalysisError(
                f"{option}: {text!r} given, expected CLOUD=REGION, like aws=eu-central-1",
                kind=ErrorKind.INVALID_ARGUMENT,
            )
        found.append((name, value))
    return tuple(found)
