"""What a copy's ledger says of its objects."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from airflow_multicloud.core import cancellation
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.ledger import looks
from airflow_multicloud.core.ledger.commits import Look
from airflow_multicloud.core.ledger.entries import Behind, Entry, Proof
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.ports.object_store import Digests
from airflow_multicloud.text import printable, traceback_text

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Contract:
    """What a candidate's bytes must be, and who says so."""

    digests: Digests
    size: int | None
    by: str | None


@dataclass(frozen=True, slots=True)
class Reference:
    """What is known of an object at a copy before it is read.

    :param entry: what its ledger says; ``None`` when no ledger is asked, or it knows nothing.
    :param as_of: the copy has the object as the source had it then; ``None``: unknown.
    :param contract: ``None`` when the ledger knows no digest.
    :param unsound: why there is nothing to serve, if the ledger says so.
    :param left_out: whether that is because its key is kept for this package's own files there.
    :param findings: what a reader should know if it is served.
    """

    entry: Entry | None = None
    as_of: datetime | None = None
    contract: Contract | None = None
    unsound: str | None = None
    left_out: bool = False
    findings: tuple[str, ...] = ()

    @property
    def owed(self) -> bool:
        """Whether the copy should have the object."""
        return self.entry is not None and self.entry.owed

    @property
    def proof(self) -> Proof | None:
        """The object as it was proven last."""
        return self.entry.proof if self.entry else None


@contextmanager
def blaming(copy: Endpoint, done: str) -> Iterator[None]:
    """Whatever reading a copy raises is that copy's failure: another one may serve.

    A copy that breaks the reader is not to be trusted.

    :param done: what could not be done with it, for the message: ``read`` or ``listed``.
    :raises StorageError: kind ``integrity`` for all that is neither a :class:`CloudError` nor a
        cancellation.
    """
    try:
        yield
    except (CloudError, cancellation.WorkCancelledError):
        raise
    except Exception as err:
        uri = str(copy.location)
        _log.error("%s could not be %s:\n%s", printable(uri), done, traceback_text(err))
        raise StorageError(
            f"{uri} could not be {done}: {type(err).__name__}: {str(err)[:200]}",
            kind=ErrorKind.INTEGRITY,
            cloud=copy.cloud,
        ) from err


def reference_of(entry: Entry, known: Sequence[Look], uri: str) -> Reference:
    """What a ledger's entry says of an object, for who wants to read it. Pure.

    An object whose newer copy failed is served as it was proven before, with its age; so is one
    that the source does not have any more.

    :param known: the looks of the ledger.
    :param uri: the object's, for findings.
    """
    proof, behind = entry.proof, entry.behind
    if proof is None:
        left_out = behind is not None and not behind.outcome.owed
        return Reference(entry, unsound=_unsound(behind), left_out=left_out)
    as_of = looks.as_of(entry, known)
    findings: list[str] = []
    if behind is not None:
        since = "it is not known since when" if as_of is None else f"as of {_time(as_of)}"
        findings.append(
            f"{uri} is older than what the source had at {_time(behind.at)}, whose copy failed "
            f"({_unsound(behind)}): {since}"
        )
    if entry.gone is not None:
        as_of = entry.gone if as_of is None else min(as_of, entry.gone)
        findings.append(f"{uri} was not at the source any more at {_time(entry.gone)}")
    known_digests = proof.digests != Digests()
    contract = Contract(proof.digests, proof.size, "ledger") if known_digests else None
    return Reference(entry, as_of, contract, findings=tuple(map(printable, findings)))


def _unsound(behind: Behind | None) -> str:
    if behind is None:
        return "its ledger proves nothing of it"
    return f"{behind.outcome} in run {behind.run_id}: {behind.reason}"


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
