"""Lose the primary, fetch everything from a replica, and measure how long and how complete."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar, Self

from airflow_multicloud.adapters.digests import sha256_of
from airflow_multicloud.core import telemetry
from airflow_multicloud.core.apart import in_one_place
from airflow_multicloud.core.drill.canary import CANARY_NAME, Canary
from airflow_multicloud.core.drill.controls import Control, controls_of, fetch_aside
from airflow_multicloud.core.drill.faults import Fault, with_fault
from airflow_multicloud.core.failover.candidates import Candidate
from airflow_multicloud.core.failover.moments import Moments
from airflow_multicloud.core.failover.policy import FailoverPolicy
from airflow_multicloud.core.failover.provenance import (
    FailoverError,
    IncompleteFetchError,
    TreeProvenance,
)
from airflow_multicloud.core.failover.targets import FileTarget
from airflow_multicloud.core.failover.tree import fetch_tree
from airflow_multicloud.documents import Document, Documented
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError


@dataclass(frozen=True, slots=True)
class Phases:
    """What came when, each counted from the fault; ``None``: it never came to that.

    :param detect: the first attempt has failed, and it is known with what kind of error.
    :param failover: a candidate has begun to send an object that it served in the end.
    :param first_verified: the first object is verified and in place.
    :param all_verified: the last one is: the RTO.
    """

    detect: timedelta | None
    failover: timedelta | None
    first_verified: timedelta | None
    all_verified: timedelta | None

    @classmethod
    def of(cls, moments: Moments, fault: float, done: float | None) -> Self:
        """From moments, that of the fault and the end of the recovery on the same clock."""
        first = (moments.failed, moments.answered, moments.served, done)
        return cls(*(None if one is None else timedelta(seconds=one - fault) for one in first))


@dataclass(frozen=True, slots=True)
class Measurement(Documented):
    """What a drill measured.

    :param recovered: ``None`` when not everything could be recovered; ``problem`` has the error
        then, and ``reason`` says in a sentence what decided it.
    :param took: from the fault to the end of the recovery, or to giving it up.
    :param as_of: the moment up to which what was recovered holds every change; ``None``: unknown.
    :param clock_ahead: how much later than the fault something is dated that came before it:
        clocks disagree, and no age can be told by them.
    :param policy: what decided about candidates.
    :param canary_found: whether the canary came back with the content that was written.
    :param controls: of each replica, one of each kind.
    :param failback: whether the primary serves again once the fault is gone.
    :param phases: of the recovery.
    """

    fault: Fault
    fault_at: datetime
    recovered: TreeProvenance | None
    problem: str | None
    reason: str | None
    took: timedelta
    as_of: datetime | None
    clock_ahead: timedelta | None
    policy: FailoverPolicy
    canary_found: bool
    controls: tuple[Control, ...]
    failback: bool
    phases: Phases

    DOCUMENT: ClassVar = Document(
        (
            "fault",
            "fault_at",
            "recovered",
            "problem",
            "reason",
            "took",
            "rto",
            "rpo",
            "phases",
            "clock_ahead",
            "policy",
            "canary_found",
            "controls",
            "failback",
        )
    )

    @property
    def rto(self) -> timedelta | None:
        """From the fault to the last object in place and verified; ``None``: that never came."""
        return None if self.recovered is None else self.took

    @property
    def rpo(self) -> timedelta | None:
        """How much older than the fault the recovered data is; ``None``: it can't be told."""
        if self.as_of is None or self.clock_ahead is not None:
            return None
        return self.fault_at - self.as_of


def _seconds(time: timedelta | None) -> float | None:
    return None if time is None else round(time.total_seconds(), 3)


def measure(
    candidates: Sequence[Candidate],
    scratch: Path,
    canary: Canary,
    *,
    fault: Fault,
    policy: FailoverPolicy,
) -> Measurement:
    """Run the drill into an empty directory.

    :param candidates: the primary's prefix and the replicas' prefixes.
    :raises StorageError: kind ``invalid_argument`` when there is no replica to fail over to, or one
        is the primary itself.
    """
    if len(candidates) < 2:  # noqa: PLR2004 - a primary and one replica
        raise StorageError(
            "candidates: expected the primary and at least one replica",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    primary, *replicas = candidates
    _check_apart(primary, replicas)
    over, moments = threading.Event(), Moments()
    with telemetry.operation("drill", multicloud__fault=str(fault)):
        started, fault_at = time.monotonic(), datetime.now(UTC)
        recovered: TreeProvenance | None = None
        problem: str | None = None
        reason: str | None = None
        try:
            recovered = fetch_tree(
                [_faulted(primary, fault, over), *replicas],
                FileTarget(scratch),
                policy,
                moments=moments,
            )
        except CloudError as err:
            problem = f"{err.kind}: {err}"
            spent = time.monotonic() - started
            reason = _reason(err, candidates, policy, timedelta(seconds=spent))
        finally:
            over.set()  # Calls that still hang are nobody's any more, nor are their threads.
        ended = time.monotonic()
        took = timedelta(seconds=ended - started)
        as_of = None if recovered is None else recovered.as_of
        ahead = max(canary.written_at, as_of or canary.written_at) - fault_at
        return Measurement(
            fault=fault,
            fault_at=fault_at,
            recovered=recovered,
            problem=problem,
            reason=reason,
            took=took,
            as_of=as_of,
            clock_ahead=ahead if ahead > timedelta(0) else None,
            policy=policy,
            canary_found=_canary_found(scratch, canary),
            controls=tuple(
                one for replica in replicas for one in controls_of(replica, canary, policy)
            ),
            failback=_failback(primary, canary, policy),
            phases=Phases.of(moments, started, ended if recovered else None),
        )


def _check_apart(primary: Candidate, replicas: Sequence[Candidate]) -> None:
    """Refuse a replica that would serve what the drill says is lost."""
    for number, replica in enumerate(replicas, start=1):
        if (
            primary.endpoint
            and replica.endpoint
            and in_one_place(primary.endpoint, replica.endpoint)
        ):
            raise StorageError(
                f"candidates[{number}]: {replica.uri} is in the primary {primary.uri}, or the "
                "reverse: give replicas that are somewhere else",
                kind=ErrorKind.INVALID_ARGUMENT,
            )


def _reason(
    err: CloudError, candidates: Sequence[Candidate], policy: FailoverPolicy, spent: timedelta
) -> str:
    """Why not everything was recovered, and which setting decided that."""
    attempts = err.attempts if isinstance(err, FailoverError) else ()
    failed = [attempt for attempt in attempts if attempt.kind is not None]
    listed = ", ".join(sorted(policy.fail_over_on))
    last = failed[-1] if failed else None
    if last is not None and last.kind is not None and not policy.goes_on(last.kind):
        asked = len({attempt.uri for attempt in failed})
        rest = "no other candidate was asked" if asked < len(candidates) else "the fetch ended"
        return (
            f"{last.uri} failed with {last.kind}, which is not among fail_over_on ({listed}), so "
            f"{rest}. If the fetches that this drill stands for are to survive it, add "
            f"{last.kind} to fail_over_on, there and here."
        )
    if spent >= policy.deadline:
        return f"The deadline for the whole recovery ({policy.deadline}) passed before it was done."
    if failed:
        kinds = ", ".join(dict.fromkeys(f"{a.uri}: {a.kind}" for a in failed))
        return (
            f"No candidate served what was asked for ({kinds}). fail_over_on ({listed}) let the "
            "fetch go on; there was no good copy left to go on to."
        )
    if isinstance(err, IncompleteFetchError):
        return f"Not everything can be put where the drill recovers to: {err}"
    return f"The fetch ended with {err.kind}, before a candidate was asked: {err}"


def _faulted(candidate: Candidate, fault: Fault, over: threading.Event | None = None) -> Candidate:
    if candidate.endpoint is None:
        return candidate
    return replace(candidate, endpoint=with_fault(candidate.endpoint, fault, over))


def _canary_found(scratch: Path, canary: Canary) -> bool:
    file = scratch / CANARY_NAME
    return file.is_file() and sha256_of(file.read_bytes()) == canary.sha256


def _canary_of(candidate: Candidate) -> Candidate:
    if candidate.endpoint is None:
        return candidate
    return replace(candidate, endpoint=candidate.endpoint.below(CANARY_NAME))


def _failback(primary: Candidate, canary: Canary, policy: FailoverPolicy) -> bool:
    try:
        fetch_aside(_canary_of(primary), replace(policy, expected_sha256=canary.sha256))
    except CloudError:
        return False
    return True
