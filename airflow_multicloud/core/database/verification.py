"""Whether a database holds what it must: each check with its outcome, and none believed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from airflow_multicloud.documents import Document, Documented
from airflow_multicloud.errors import DatabaseError, ErrorKind


class CheckOutcome(StrEnum):
    """What came of one check."""

    PASSED = "passed"
    #: It was measured, and is not as it must be.
    FAILED = "failed"
    #: It could not be measured or compared.
    ERROR = "error"
    #: It was measured for a baseline, and compared with nothing.
    RECORDED = "recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """One thing that was expected of one table.

    :param check: which, by its parameter: ``rows``, ``checksum``, …
    :param error_kind: why there is no measurement, for an error.
    """

    table: str
    check: str
    outcome: CheckOutcome
    expected: str | None = None
    measured: str | None = None
    why: str | None = None
    error_kind: ErrorKind | None = None

    def __str__(self) -> str:
        """For people."""
        said = f"{self.table}: {self.check} {self.outcome}"
        if self.expected is not None:
            said += f", expected {self.expected}, measured {self.measured or 'nothing'}"
        elif self.measured is not None:
            said += f": {self.measured}"
        return f"{said} ({self.why})" if self.why else said


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineOrigin:
    """Where a baseline is from.

    :param place: path or URI of its file.
    :param measured_at: as it says.
    :param host: of the instance that it was measured on, as it says.
    """

    place: str
    measured_at: datetime
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseVerification(Documented):
    """What a verification has found.

    :param sql_conn_id: whose credentials were used.
    :param restored_moment: that ages are counted from.
    :param checks: how many things were expected; the outcomes add up to it.
    """

    DOCUMENT: ClassVar[Document] = Document(
        shows=(
            *("verified", "sql_conn_id", "host", "port", "database", "engine", "restored_moment"),
            *("started_at", "ended_at", "baseline", "checks", "outcomes", "results", "recorded_to"),
        )
    )

    sql_conn_id: str
    host: str
    port: int | None
    database: str | None
    engine: str
    restored_moment: datetime | None
    started_at: datetime
    ended_at: datetime
    results: tuple[CheckResult, ...]
    baseline: BaselineOrigin | None = None
    recorded_to: str | None = None

    @property
    def checks(self) -> int:
        """How many there were."""
        return len(self.results)

    @property
    def outcomes(self) -> dict[str, int]:
        """Outcome → how many, all of them."""
        counted = Counter(one.outcome for one in self.results)
        return {outcome.value: counted[outcome] for outcome in CheckOutcome}

    @property
    def verified(self) -> bool:
        """Whether everything was compared and is as it must be; nothing measured proves nothing."""
        return bool(self.results) and all(
            one.outcome is CheckOutcome.PASSED for one in self.results
        )

    @property
    def failed(self) -> bool:
        """Whether something was measured that is not as it must be."""
        return any(one.outcome is CheckOutcome.FAILED for one in self.results)

    def raise_if_failed(self) -> None:
        """Raise for what is not as it must be, or could not be measured.

        :raises DatabaseError: ``integrity``, or the kind of the first error that lasts.
        """
        bad = [
            one for one in self.results if one.outcome in (CheckOutcome.FAILED, CheckOutcome.ERROR)
        ]
        if self.results and not bad:
            return
        kinds = [one.error_kind for one in bad if one.error_kind is not None]
        lasting = [kind for kind in kinds if not kind.retryable]
        kind = (
            ErrorKind.INTEGRITY
            if self.failed
            else (lasting or kinds or [ErrorKind.INVALID_ARGUMENT])[0]
        )
        named = "; ".join(map(str, bad[:5])) or "nothing was measured"
        more = f" and {len(bad) - 5} more" if len(bad) > 5 else ""  # noqa: PLR2004
        raise DatabaseError(
            f"{self.host}: {len(bad)} of {self.checks} checks did not pass: {named}{more}",
            kind=kind,
        )
