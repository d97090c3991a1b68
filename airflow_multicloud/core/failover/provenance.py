"""Who served, and what happened on the way there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from airflow_multicloud.documents import Document, Documented
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.text import printable


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at one candidate. ``kind`` is ``None`` for the one that served.

    :param overtaken: it did not fail; another one was there first (``hedge_after``).
    """

    uri: str
    cloud: str | None
    milliseconds: int
    kind: ErrorKind | None = None
    reason: str | None = None
    overtaken: bool = False

    DOCUMENT: ClassVar = Document(("uri", "cloud", "milliseconds", "kind", "reason"))

    def __str__(self) -> str:
        """One line."""
        end = "served" if self.kind is None else f"{self.kind}: {self.reason}"
        return printable(f"{self.uri} after {self.milliseconds} ms: {end}")


@dataclass(frozen=True, slots=True)
class Provenance(Documented):
    """What was fetched, from where, and how that is known.

    :param verified_by: ``expected_sha256``, ``ledger`` (the candidate's, or another one's),
        ``store`` (what arrived is what this store holds, by a digest that it reports) or ``None``.
    :param digest: the strongest digest by which the content was compared (``sha256``, ``blake3``,
        ``md5`` or ``crc32c``); ``None`` for none.
    :param as_of: the replica has the object as the source had it then; ``None``: it is not known
        that it ever had. For the primary, and without a ledger, when it was last modified.
    :param age_seconds: from ``as_of`` to the fetch.
    :param findings: what a reader should know though it was served: that its newer copy failed or
        the object there was changed, a ledger that another one contradicts, a clock that is ahead.
    :param not_kept: the attributes that the target can't keep (``metadata:x``).
    """

    served_by: str
    cloud: str
    target: str
    size: int
    sha256: str
    verified_by: str | None
    as_of: datetime | None
    age_seconds: float | None
    failed_over: bool
    attempts: tuple[Attempt, ...]
    findings: tuple[str, ...] = ()
    not_kept: tuple[str, ...] = ()
    digest: str | None = None

    DOCUMENT: ClassVar = Document(
        (
            "served_by",
            "cloud",
            "target",
            "size",
            "sha256",
            "verified_by",
            "digest",
            "as_of",
            "age_seconds",
            "failed_over",
            "not_kept",
            "attempts",
            "findings",
        )
    )


@dataclass(frozen=True, slots=True)
class TreeProvenance(Documented):
    """What was fetched of a prefix, and from where; and what was not.

    :param served: objects by the candidate that served them.
    :param digests: objects by the strongest digest by which their content was compared.
    :param attempts: the attempts that failed, the first twenty.
    :param as_of: the oldest of the objects' ``as_of``, or of the parts that the ledger which the
        names are from has looked at; ``None`` when it is not known of one of them.
    :param oldest: which object or part that is.
    :param ages: objects by how long before the fetch their ``as_of`` was, the youngest first.
    :param not_kept: the attributes that the target can't keep, with the number of objects.
    :param left_out: how many objects were left out, as their keys are kept for this package's own
        files, at the target or at the replica that would have served them.
    :param left_out_names: the first twenty of them.
    :param encoded: how many have another path at the target than their names, as its file system
        can't hold these; :func:`~airflow_multicloud.api.name_of_path` tells the name.
    :param encoded_names: the first twenty of them, with their paths.
    :param unfit: how many could not be put at the target, for their names or for what is there.
    :param unfit_names: the first twenty of them, with the reasons.
    :param failed: how many no candidate served.
    :param failed_names: the first twenty of them, with the reasons.
    :param findings: what a reader should know though it was served, the first twenty.
    :param unknown: how many objects lie at the replica that the names are from, and are not owed
        by its ledger; ``None``: not looked at (``list_unknown``).
    :param unknown_names: the first twenty of them.
    """

    target: str
    objects: int
    size: int
    served: Mapping[str, int]
    verified_by: Mapping[str, int]
    as_of: datetime | None
    failed_over: bool
    failed_attempts: int
    attempts: tuple[Attempt, ...]
    left_out: int = 0
    left_out_names: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    not_kept: Mapping[str, int] = field(default_factory=dict)
    encoded: int = 0
    encoded_names: Mapping[str, str] = field(default_factory=dict)
    unfit: int = 0
    unfit_names: Mapping[str, str] = field(default_factory=dict)
    failed: int = 0
    failed_names: Mapping[str, str] = field(default_factory=dict)
    oldest: str | None = None
    unknown: int | None = None
    unknown_names: tuple[str, ...] = ()
    digests: Mapping[str, int] = field(default_factory=dict)
    ages: Mapping[str, int] = field(default_factory=dict)

    DOCUMENT: ClassVar = Document(
        (
            "target",
            "objects",
            "size",
            "served",
            "verified_by",
            "digests",
            "as_of",
            "oldest",
            "ages",
            "failed_over",
            "failed_attempts",
            "not_kept",
            ("attempts", "attempt_lines"),
            "findings",
            "left_out",
            "left_out_names",
            "encoded",
            "encoded_names",
            "unfit",
            "unfit_names",
            "failed",
            "failed_names",
            "unknown",
            "unknown_names",
        )
    )

    @property
    def attempt_lines(self) -> tuple[str, ...]:
        """The attempts, a line each."""
        return tuple(str(attempt) for attempt in self.attempts)


def kind_of(attempts: Sequence[Attempt]) -> ErrorKind:
    """The kind of a fetch in which every attempt failed.

    It is the first that a retry may mend: one candidate that comes back is enough.
    """
    kinds = [a.kind for a in attempts if a.kind is not None]
    return next((k for k in kinds if k.retryable), kinds[-1] if kinds else ErrorKind.UNAVAILABLE)


class FailoverError(StorageError):
    """No candidate served; ``attempts`` says why each of them did not."""

    def __init__(self, message: str, *, kind: ErrorKind, attempts: tuple[Attempt, ...]) -> None:
        listed = "; ".join(f"{n}. {a}" for n, a in enumerate(attempts, 1))
        super().__init__(f"{message}: {listed}" if listed else message, kind=kind)
        self.attempts = attempts


class IncompleteFetchError(FailoverError):
    """Some objects of a prefix could not be fetched; all others are in place.

    :param provenance: what was fetched, and the objects that were not; ``None`` if none was.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: ErrorKind,
        attempts: tuple[Attempt, ...],
        provenance: TreeProvenance | None,
    ) -> None:
        super().__init__(message, kind=kind, attempts=attempts)
        self.provenance = provenance
