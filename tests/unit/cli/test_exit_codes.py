"""What a script can tell from the exit code of work that went half-way."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from airflow_multicloud.api import IncompleteFetchError, TreeProvenance
from airflow_multicloud.cli.exit_codes import ExitCode, of_error
from airflow_multicloud.errors import ErrorKind

SOME = TreeProvenance(
    target="/tmp/x",
    objects=1,
    size=1,
    served={"s3://a/": 1},
    verified_by={"ledger": 1},
    as_of=datetime(2026, 1, 2, tzinfo=UTC),
    failed_over=False,
    failed_attempts=1,
    attempts=(),
    failed=1,
)


@pytest.mark.parametrize(
    ("provenance", "code"), [(SOME, ExitCode.NOT_SOUND), (None, ExitCode.TRY_AGAIN)]
)
def test_a_fetch_of_some_is_not_sound(provenance: TreeProvenance | None, code: ExitCode) -> None:
    """One of nothing ends as its kind says."""
    error = IncompleteFetchError(
        "lost", kind=ErrorKind.UNAVAILABLE, attempts=(), provenance=provenance
    )
    assert of_error(error) is code
