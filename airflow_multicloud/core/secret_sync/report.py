"""What became of every secret at every destination."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from airflow_multicloud.core.secret_sync.outcomes import (
    FAILING,
    FindingKind,
    SyncOutcome,
    Verdict,
)
from airflow_multicloud.documents import Document, Documented
from airflow_multicloud.errors import ErrorKind, SecretsError
from airflow_multicloud.text import printable, shortened

#: So many findings and changes are in a report; the counts are of all.
MOST_TOLD = 100
#: So many findings are in an error's message.
_IN_MESSAGE = 3
_LONGEST_MESSAGE = 1_000
_QUIET = frozenset({SyncOutcome.UNCHANGED, SyncOutcome.SKIPPED})


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncFinding:
    """What is wrong with a secret.

    :param conn_id: of the destination.
    """

    conn_id: str
    name: str
    finding: FindingKind
    outcome: SyncOutcome
    message: str
    error_kind: ErrorKind | None = None

    def __str__(self) -> str:
        """One line."""
        return printable(f"{self.conn_id}: {self.name}: {self.finding}: {self.message}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncChange:
    """What was changed, or would be.

    :param conn_id: of the destination.
    :param version: the one that was written, or that was current when it was removed.
    """

    conn_id: str
    name: str
    outcome: SyncOutcome
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncedStore(Documented):
    """What became of the secrets at one destination; the counts add up to ``secrets``.

    :param store: its full name, as its cloud gives it; ``None`` when it could not be asked.
    :param managed: of those skipped, how many a service of the source's cloud keeps: they are not
        to be equal.
    :param error: why it could not be used, if so.
    """

    DOCUMENT: ClassVar[Document] = Document(
        (
            *("conn_id", "cloud", "store", "secrets"),
            *(outcome.value for outcome in SyncOutcome),
            *("managed", "error_kind", "error"),
        )
    )

    conn_id: str
    cloud: str
    store: str | None = None
    created: int = 0
    replaced: int = 0
    unchanged: int = 0
    tagged: int = 0
    kept: int = 0
    conflict: int = 0
    removed: int = 0
    failed: int = 0
    skipped: int = 0
    managed: int = 0
    error_kind: ErrorKind | None = None
    error: str | None = None

    @property
    def secrets(self) -> int:
        """How many there were."""
        return sum(getattr(self, outcome) for outcome in SyncOutcome)

    def __str__(self) -> str:
        """The account in one line."""
        counts = ", ".join(
            f"{count} {outcome}" for outcome in SyncOutcome if (count := getattr(self, outcome))
        )
        why = "" if self.error is None else f": {self.error_kind}: {self.error}"
        return printable(f"{self.conn_id}: {counts or 'nothing'}{why}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport(Documented):
    """What became of every secret at every destination, without values or digests.

    :param source: its connection id.
    :param source_store: its full name.
    :param dry_run: whether nothing was written, and all this is what would have been done.
    :param refused: why nothing was written although it was to be.
    :param findings: the first ones.
    :param findings_count: of all.
    :param changes: the first ones.
    :param changes_count: of all.
    :param kinds: of everything that failed or is a conflict, each once.
    """

    DOCUMENT: ClassVar[Document] = Document(
        (
            "succeeded",
            "in_sync",
            "dry_run",
            "refused",
            "source",
            "source_store",
            "destinations",
            "findings",
            "findings_count",
            "changes",
            "changes_count",
        )
    )

    source: str
    source_store: str
    destinations: tuple[SyncedStore, ...]
    dry_run: bool = False
    refused: str | None = None
    findings: tuple[SyncFinding, ...] = ()
    findings_count: int = 0
    changes: tuple[SyncChange, ...] = ()
    changes_count: int = 0
    kinds: tuple[ErrorKind, ...] = ()

    @property
    def succeeded(self) -> bool:
        """Whether nothing failed, is a conflict, or was refused."""
        return self.refused is None and not any(
            one.failed or one.conflict or one.error is not None for one in self.destinations
        )

    @property
    def in_sync(self) -> bool:
        """Whether everything was compared, and was equal when it was looked at.

        Not when there was nothing to compare, and not while one can't be compared, since it is
        disabled at the source, say; but for those that services of the source's cloud keep.
        """
        return all(
            one.error is None and one.unchanged > 0 and one.unchanged + one.managed == one.secrets
            for one in self.destinations
        )

    def raise_if_failed(self) -> None:
        """Raise when it did not succeed.

        :raises SyncFailedError: retryable when another try can help one secret.
        """
        if self.refused is not None:
            raise SyncFailedError(self.refused, kind=ErrorKind.PRECONDITION_FAILED, report=self)
        if not self.succeeded:
            message, kind = _why(self)
            raise SyncFailedError(message, kind=kind, report=self)


class SyncFailedError(SecretsError):
    """Not all secrets are as they are to be; the report says which, and why."""

    def __init__(self, message: str, *, kind: ErrorKind, report: SyncReport) -> None:
        super().__init__(message, kind=kind)
        self.report = report


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A secret at a destination, and what became of it."""

    conn_id: str
    name: str
    verdict: Verdict


def account(store: SyncedStore, settled: Iterable[Settled]) -> SyncedStore:
    """The store with the outcomes counted."""
    verdicts = [one.verdict for one in settled]
    counts = Counter(one.outcome for one in verdicts)
    skipped = [one for one in verdicts if one.outcome is SyncOutcome.SKIPPED]
    return SyncedStore(
        conn_id=store.conn_id,
        cloud=store.cloud,
        store=store.store,
        error_kind=store.error_kind,
        error=store.error,
        managed=sum(one.finding is FindingKind.MANAGED for one in skipped),
        **{outcome.value: counts[outcome] for outcome in SyncOutcome},
    )


def report_of(
    source: str,
    source_store: str,
    destinations: Sequence[tuple[SyncedStore, Sequence[Settled]]],
    *,
    dry_run: bool = False,
    refused: str | None = None,
) -> SyncReport:
    """The report of a run.

    :param source: its connection id.
    :param destinations: each with what became of the secrets.
    :param refused: why nothing was written although it was to be.
    """
    everything = [one for _, settled in destinations for one in settled]
    findings = sorted(
        (_finding(one) for one in everything if one.verdict.finding is not None),
        key=lambda one: one.outcome not in FAILING,
    )
    changes = [
        SyncChange(
            conn_id=one.conn_id,
            name=printable(one.name),
            outcome=one.verdict.outcome,
            version=one.verdict.version,
        )
        for one in everything
        if one.verdict.outcome not in FAILING | _QUIET | {SyncOutcome.KEPT}
    ]
    return SyncReport(
        source=source,
        source_store=source_store,
        destinations=tuple(account(store, settled) for store, settled in destinations),
        dry_run=dry_run,
        refused=refused,
        findings=tuple(findings[:MOST_TOLD]),
        findings_count=len(findings),
        changes=tuple(changes[:MOST_TOLD]),
        changes_count=len(changes),
        kinds=tuple(
            dict.fromkeys(one.error_kind for one in findings if one.error_kind is not None)
        ),
    )


def _finding(one: Settled) -> SyncFinding:
    return SyncFinding(
        conn_id=one.conn_id,
        name=printable(one.name),
        finding=one.verdict.finding or FindingKind.ERROR,
        outcome=one.verdict.outcome,
        message=printable(shortened(one.verdict.message, _LONGEST_MESSAGE)),
        error_kind=one.verdict.error_kind,
    )


def _why(report: SyncReport) -> tuple[str, ErrorKind]:
    stores = [one for one in report.destinations if one.error is not None]
    failed = [one for one in report.findings if one.outcome in FAILING]
    told = [f"{one.conn_id}: {one.error_kind}: {one.error}" for one in stores]
    told += [str(one) for one in failed[:_IN_MESSAGE]]
    count = sum(one.failed + one.conflict for one in report.destinations)
    if len(failed) > _IN_MESSAGE:
        told.append(f"and {count - _IN_MESSAGE} more")
    kinds = [one.error_kind for one in stores if one.error_kind is not None]
    kinds += report.kinds
    kind = next((one for one in kinds if one.retryable), kinds[0])
    return f"{count} secrets are not as they are to be: {'; '.join(told)}", kind
