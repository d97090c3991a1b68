"""What came of a rollout: one outcome for every target, and all of them add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from airflow_multicloud.core.rollout.deciding import by_target, quorum_holds
from airflow_multicloud.core.rollout.plans import DeploymentPlan, TargetPlan
from airflow_multicloud.core.rollout.progress import Attempt, Phase, RolloutProgress, SlotProgress
from airflow_multicloud.documents import Document
from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.ports.compute import Instance


class Outcome(StrEnum):
    """What came of one target."""

    #: Its instances are new and healthy, and the revision before is gone.
    SUCCEEDED = "succeeded"
    #: The same, with instances that were there already: of an earlier try, or another run.
    ADOPTED = "adopted"
    #: It failed, and nothing had to be put back, or nothing was to be.
    FAILED = "failed"
    #: What the rollout made there is gone, and what it had stopped runs again.
    ROLLED_BACK = "rolled_back"
    #: Something could not be put back; ``error`` says what.
    ROLLBACK_FAILED = "rollback_failed"
    #: It was never begun, or a later run's revision is there, which stays.
    SKIPPED = "skipped"

    @property
    def is_success(self) -> bool:
        """Whether the revision runs there."""
        return self in (Outcome.SUCCEEDED, Outcome.ADOPTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedInstance:
    """One instance that serves.

    :param id: as its cloud writes it.
    :param address: its private address.
    """

    id: str
    name: str
    region: str
    zone: str | None
    size: str
    address: str | None
    public_address: str | None
    console_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetResult:
    """What came of one target.

    :param instances: of this revision, that are there after the rollout.
    :param attempts: candidates that were tried and did not do.
    :param superseded_by: the later revision that stays, when it was skipped for that.
    :param seconds: from its begin to its end.
    """

    name: str
    cloud: str
    conn_id: str
    outcome: Outcome
    instances: tuple[DeployedInstance, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    error_kind: ErrorKind | None = None
    error: str | None = None
    superseded_by: str | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiCloudDeploymentResult:
    """What came of a rollout.

    :param plan_hash: of the plan that was carried out.
    :param succeeded: whether enough targets run the revision, and all that are required.
    :param stopped: why no other wave was begun, if one was left.
    """

    DOCUMENT: ClassVar[Document] = Document(
        shows=(
            *("deployment_id", "revision", "plan_hash", "succeeded", "success_rate", "counts"),
            *("targets", "stopped", "began_at", "ended_at"),
        )
    )

    deployment_id: str
    revision: str
    plan_hash: str
    succeeded: bool
    targets: tuple[TargetResult, ...]
    began_at: datetime
    ended_at: datetime
    stopped: str | None = None

    @property
    def success_rate(self) -> float:
        """The fraction of the targets on which the revision runs."""
        return sum(target.outcome.is_success for target in self.targets) / len(self.targets)

    @property
    def counts(self) -> dict[Outcome, int]:
        """How many targets have each outcome; together they are all targets."""
        return {
            outcome: sum(target.outcome is outcome for target in self.targets)
            for outcome in Outcome
        }

    def raise_if_failed(self) -> None:
        """Raise when the rollout has failed.

        :raises DeploymentError: naming the targets; its kind is the first failure's that a retry
            can't mend, else the first failure's.
        """
        if self.succeeded:
            return
        bad = [target for target in self.targets if not target.outcome.is_success]
        kinds = [target.error_kind for target in bad if target.error_kind is not None]
        lasting = [kind for kind in kinds if not kind.retryable]
        told = "; ".join(f"{target.name}: {target.outcome}{_because(target)}" for target in bad)
        good = len(self.targets) - len(bad)
        raise DeploymentError(
            f"deployment {self.deployment_id}, revision {self.revision}: {good} of "
            f"{len(self.targets)} targets run it; {told}",
            kind=(lasting or kinds or [ErrorKind.PRECONDITION_FAILED])[0],
        )


def result_of(
    plan: DeploymentPlan, progress: RolloutProgress, plan_hash: str, now: datetime
) -> MultiCloudDeploymentResult:
    """What came of a rollout that is done.

    :param now: when it was.
    """
    slots = by_target(progress)
    targets = tuple(_target(target, slots[target.name], now) for target in plan.targets)
    return MultiCloudDeploymentResult(
        deployment_id=plan.deployment_id,
        revision=plan.revision,
        plan_hash=plan_hash,
        succeeded=quorum_holds(plan, progress),
        targets=targets,
        began_at=progress.began_at or now,
        ended_at=now,
        stopped=progress.stopped,
    )


def _target(target: TargetPlan, slots: Sequence[SlotProgress], now: datetime) -> TargetResult:
    first_error = next((slot for slot in slots if slot.error_kind is not None), None)
    began = [slot.began_at for slot in slots if slot.began_at is not None]
    ended = [slot.ended_at or now for slot in slots if slot.began_at is not None]
    seconds = (max(ended) - min(began)) / timedelta(seconds=1) if began else 0.0
    return TargetResult(
        name=target.name,
        cloud=target.cloud,
        conn_id=target.conn_id,
        outcome=_outcome(slots),
        instances=tuple(
            _deployed(slot.instance)
            for slot in slots
            if slot.instance is not None and _serves(slot)
        ),
        attempts=tuple(attempt for slot in slots for attempt in slot.attempts),
        error_kind=None if first_error is None else first_error.error_kind,
        error=None if first_error is None else first_error.error,
        superseded_by=next((slot.superseded_by for slot in slots if slot.superseded_by), None),
        seconds=round(seconds, 3),
    )


def _outcome(slots: Sequence[SlotProgress]) -> Outcome:
    phases = {slot.phase for slot in slots}
    if phases == {Phase.SETTLED}:
        adopted = all(slot.adopted for slot in slots)
        return Outcome.ADOPTED if adopted else Outcome.SUCCEEDED
    if any(slot.undo_failed for slot in slots):
        return Outcome.ROLLBACK_FAILED
    if phases == {Phase.WAITING} or any(slot.superseded_by for slot in slots):
        return Outcome.SKIPPED
    kept = any(map(_serves, slots))
    undone = not kept and any(slot.undid for slot in slots)
    return Outcome.ROLLED_BACK if undone else Outcome.FAILED


def _serves(slot: SlotProgress) -> bool:
    """Whether its instance is there after the rollout."""
    left = slot.phase is Phase.LEFT and slot.instance is not None and not slot.undo_failed
    return slot.phase is Phase.SETTLED or left


def _deployed(instance: Instance) -> DeployedInstance:
    return DeployedInstance(
        id=instance.ref.id,
        name=instance.name,
        region=instance.ref.region,
        zone=instance.zone,
        size=instance.size,
        address=instance.address,
        public_address=instance.public_address,
        console_url=instance.console_url,
    )


def _because(target: TargetResult) -> str:
    if target.superseded_by is not None:
        return f" ({target.superseded_by} is later)"
    return f" ({target.error_kind}: {target.error})" if target.error_kind else ""
