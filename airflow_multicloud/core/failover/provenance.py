"""Who served, and what happened on the way there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from airflow_multicloud.documents import Document
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
class Provenance:
    """What was fetched, from where, and how that is known.

    :param verified_by: ``expected_sha256``, ``manifest`` (the candidate's, or another one's),
        ``store`` (what arrived is what this store holds, by a digest that it reports) or ``None``.
    :param as_of: the replica holds every change made at the source before this; for the
        primary, when the object was last modified.
    :param age_seconds: from ``as_of`` to the fetch.
    :param findings: what a reader should know though it was served: a clock that is ahead.
    :param not_kept: the attributes that the target can't keep (``metadata:x``).
    """

    served_by: str
    cloud: str
    target: str
    size: int
    sha256: str
    verified_by: str | None
    as_of: datetime
    age_seconds: float
    failed_over: bool
    attempts: tuple[Attempt, ...]
    findings: tuple[str, ...] = ()
    not_kept: tuple[str, ...] = ()

    DOCUMENT: ClassVar = Document(
        (
            "served_by",
            "cloud",
            "target",
            "size",
            "sha256",
            "verified_by",
            "as_of",
            "age_seconds",
            "failed_over",
            "not_kept",
            "attempts",
            "findings",
        )
    )


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
