"""What became of the objects of a prefix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from airflow_multicloud.core.failover.ages import Age, Ages
from airflow_multicloud.core.failover.naming import Naming, listed_names
from airflow_multicloud.core.failover.provenance import (
    Attempt,
    IncompleteFetchError,
    Provenance,
    TreeProvenance,
)
from airflow_multicloud.core.failover.targets import Target
from airflow_multicloud.core.ledger.commits import Look
from airflow_multicloud.core.ledger.looks import ALL
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.text import printable

#: How many failed attempts, and objects of each kind, are named.
NAMED = 20
#: How many parts a finding names.
_PARTS = 5


class _Named:
    """Objects of one kind: all are counted, the first ones named."""

    def __init__(self) -> None:
        self.count = 0
        self.names: dict[str, str] = {}

    def add(self, name: str, told: str = "") -> None:
        self.count += 1
        if self.count <= NAMED:
            self.names[name] = told


class Tally:
    """Counts while objects arrive, and tells the outcome; each object is counted once.

    :param naming: what there is to fetch.
    :param failed: the candidates that could not be listed.
    :param ages: counts the objects by their age.
    """

    def __init__(
        self, target: Target, naming: Naming, failed: Sequence[Attempt], ages: Ages
    ) -> None:
        self._ages = ages
        self._target = target
        self._attempts = list(failed)
        self._failures = len(failed)
        self._served: Counter[str] = Counter()
        self._verified: Counter[str] = Counter()
        self._digests: Counter[str] = Counter()
        self._not_kept: Counter[str] = Counter()
        self._size = 0
        self._naming = naming
        self._age = Age.of(naming.freshness)
        self._unknown: _Named | None = None
        self._findings: dict[str, None] = dict.fromkeys(_partly(naming))
        self._left_out = _Named()
        self._encoded = _Named()
        self._unfit = _Named()
        self._failed = _Named()
        self._lost_by: list[Attempt] = []
        self._kind = ErrorKind.INVALID_ARGUMENT

    @property
    def objects(self) -> int:
        """How many were fetched."""
        return self._served.total()

    def add_left_out(self, name: str) -> None:
        """An object whose key is kept for this package's own files."""
        self._left_out.add(name)

    def add(self, name: str, one: Provenance, place: Target) -> None:
        """An object that was fetched.

        :param place: where to.
        """
        self._served[one.served_by] += 1
        self._verified[one.verified_by or "nothing"] += 1
        self._digests[one.digest or "none"] += 1
        self._not_kept.update(one.not_kept)
        self._size += one.size
        self._age = self._age.with_part(one.as_of, name)
        self._ages.add(one.as_of)
        if (path := place.stands_at(one.size)) is not None:
            self._encoded.add(name, path)
        self._count([attempt for attempt in one.attempts if attempt.kind is not None])
        for finding in one.findings:
            if len(self._findings) < NAMED:
                self._findings[finding] = None

    def add_unknown(self) -> None:
        """Count what lies beside the names, if they are a ledger's."""
        if self._naming.freshness is None:
            return
        self._unknown = _Named()
        for name in listed_names(self._naming.copy):
            if name not in self._naming.names:
                self._unknown.add(name)

    def add_unfit(self, name: str, err: CloudError) -> None:
        """An object that the target can't hold."""
        self._unfit.add(name, str(err))
        self._judge(err.kind)

    def add_failed(self, name: str, err: CloudError, attempts: Sequence[Attempt]) -> None:
        """An object that no candidate served."""
        self._failed.add(name, str(err))
        self._judge(err.kind)
        self._count(attempts)
        self._lost_by.extend(attempts[: max(0, NAMED - len(self._lost_by))])

    def provenance(self, primary: str) -> TreeProvenance:
        """What was fetched.

        :param primary: the URI of the first candidate.
        :raises IncompleteFetchError: when some objects could not be fetched.
        :raises StorageError: kind ``not_found`` when all were left out.
        """
        done = self._fetched(primary) if self.objects else None
        if self._unfit.count or self._failed.count:
            raise IncompleteFetchError(
                self._lost(), kind=self._kind, attempts=tuple(self._lost_by), provenance=done
            )
        if done is None:
            raise StorageError(
                f"target: nothing was fetched to {self._target}: all {self._left_out.count} "
                "objects have keys that are kept for this package's own files",
                kind=ErrorKind.NOT_FOUND,
            )
        return done

    def _fetched(self, primary: str) -> TreeProvenance:
        return TreeProvenance(
            target=str(self._target),
            objects=self.objects,
            size=self._size,
            served=dict(self._served),
            verified_by=dict(self._verified),
            digests=dict(self._digests),
            as_of=self._age.as_of,
            oldest=self._age.oldest,
            ages=self._ages.counts(),
            failed_over=set(self._served) != {primary},
            failed_attempts=self._failures,
            attempts=tuple(self._attempts),
            not_kept=dict(self._not_kept),
            left_out=self._left_out.count,
            left_out_names=tuple(sorted(self._left_out.names)),
            findings=tuple(self._findings),
            encoded=self._encoded.count,
            encoded_names=self._encoded.names,
            unfit=self._unfit.count,
            unfit_names=self._unfit.names,
            failed=self._failed.count,
            failed_names=self._failed.names,
            unknown=self._unknown.count if self._unknown else None,
            unknown_names=tuple(self._unknown.names) if self._unknown else (),
        )

    def _lost(self) -> str:
        lost = self._unfit.count + self._failed.count
        told = f"{lost} of {self.objects + lost} objects were not fetched to {self._target}"
        if self.objects:
            told += ", all others are in place"
        if count := self._unfit.count:
            reasons = "; ".join(self._unfit.names.values())
            told += f"; {count} can't be put there: {reasons}{_more(count)}"
        if count := self._failed.count:
            names = ", ".join(map(repr, self._failed.names))
            told += f"; {count} were not served by any candidate: {names}{_more(count)}"
        return told

    def _count(self, failed: Sequence[Attempt]) -> None:
        self._failures += len(failed)
        self._attempts.extend(failed[: max(0, NAMED - len(self._attempts))])

    def _judge(self, kind: ErrorKind) -> None:
        """The kind of the whole is one that a retry may mend, if there is one."""
        if not self._kind.retryable:
            self._kind = kind


def _more(count: int) -> str:
    return f" and {count - NAMED} more" if count > NAMED else ""


def _partly(naming: Naming) -> Iterator[str]:
    """What of the prefix the names, or what lies there, are not all of."""
    known, uri = naming.freshness, naming.copy.candidate.uri
    if known is None:
        return
    if not known.covered:
        parts = ", ".join(map(_part, known.looks[:_PARTS])) or "single objects"
        more = ", …" if len(known.looks) > _PARTS else ""
        yield (
            f"{uri}: no run has looked at all of it; what its ledger knows are parts: {parts}{more}"
        )
    for look in [one for one in known.looks if one.displaced][:_PARTS]:
        yield (
            f"{uri}: at least {look.displaced} objects below {_part(look)} were deleted or "
            "replaced by a run of another source since that was looked at"
        )


def _part(look: Look) -> str:
    some = "" if look.selection == ALL else f" ({look.selection})"
    return printable(f"{look.prefix or 'the bucket'}{some}")
