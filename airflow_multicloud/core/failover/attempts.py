"""One attempt at one candidate, on a thread of its own."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace
from functools import partial

from airflow_multicloud.core import telemetry
from airflow_multicloud.core.failover.candidates import Arrival, Candidate, take
from airflow_multicloud.core.failover.copies import Copy
from airflow_multicloud.core.failover.policy import FailoverPolicy
from airflow_multicloud.core.failover.provenance import Attempt
from airflow_multicloud.core.failover.references import Reference, blaming
from airflow_multicloud.core.failover.targets import Target, TargetError
from airflow_multicloud.core.replication.progress import Progress
from airflow_multicloud.errors import CloudError, ErrorKind

#: How often an object is read at most, because a run has written it meanwhile.
_TRIES = 3
#: What a read may end with, because of that.
_CONTRADICTIONS = frozenset(
    {ErrorKind.INTEGRITY, ErrorKind.NOT_FOUND, ErrorKind.PRECONDITION_FAILED}
)


@dataclass(slots=True)
class Try:
    """One candidate under way.

    :param name: of the object, below the copy.
    """

    number: int
    copy: Copy
    name: str
    started: float
    cancelled: threading.Event = field(default_factory=threading.Event)

    @property
    def candidate(self) -> Candidate:
        """Whom this is an attempt at."""
        return self.copy.candidate

    def attempt(self, err: CloudError | None, *, overtaken: bool = False) -> Attempt:
        """What is told of it."""
        end = self.candidate.endpoint
        return Attempt(
            self.candidate.uri,
            end.cloud if end else None,
            round((time.monotonic() - self.started) * 1000),
            err.kind if err else None,
            str(err) if err else None,
            overtaken,
        )

    def take(self, target: Target, policy: FailoverPolicy, progress: Progress | None) -> Arrival:
        """Stage the object, as it was before a run that writes it, or as that run says it is."""
        end = self.copy.end.below(self.name)
        with (
            telemetry.operation("failover_fetch.attempt", cloud__provider=end.cloud),
            blaming(end, "read"),
        ):
            known = self.copy.reference(self.name)
            for _ in range(_TRIES - 1):
                try:
                    return self._read(known, target, policy, progress)
                except CloudError as err:
                    if isinstance(err, TargetError) or err.kind not in _CONTRADICTIONS:
                        raise
                    newer = self._newer(known, err)
                    if newer is None:
                        raise
                    known = newer
            return self._read(known, target, policy, progress)

    def _newer(self, known: Reference, err: CloudError) -> Reference | None:
        """What is known by now of an object that is not what was known; ``None``: the same."""
        wait = err.kind is not ErrorKind.PRECONDITION_FAILED  # Stale is stale.
        try:
            return self.copy.newer(self.name, known, self.cancelled, wait=wait)
        except CloudError:
            raise err from None

    def _read(
        self, known: Reference, target: Target, policy: FailoverPolicy, progress: Progress | None
    ) -> Arrival:
        copy = self.copy
        disputed = copy.disputed(self.name, known)
        arrival = take(
            copy.end.below(self.name),
            target,
            policy,
            live=copy.judged().live,
            cancelled=self.cancelled,
            known=known,
            others=partial(copy.known_elsewhere, self.name),
            progress=progress,
        )
        return replace(arrival, findings=(*arrival.findings, *((disputed,) if disputed else ())))
