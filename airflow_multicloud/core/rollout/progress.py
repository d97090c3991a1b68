"""How far a rollout is: plain values, so that another process can go on with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from airflow_multicloud.core.rollout.capacity import Block
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.compute import Instance, InstanceRef
from airflow_multicloud.ports.operations import Operation


class Phase(StrEnum):
    """What is being done for a slot."""

    WAITING = "waiting"
    LOOKING = "looking"
    CLEARING = "clearing"
    LAUNCHING = "launching"
    BOOTING = "booting"
    CHECKING = "checking"
    STANDING_DOWN = "standing_down"
    READY = "ready"
    FAILED = "failed"
    SUPERSEDED = "superseded"
    SETTLING = "settling"
    SETTLED = "settled"
    UNDOING = "undoing"
    UNDONE = "undone"
    LEFT = "left"

    @property
    def rests(self) -> bool:
        """Whether a slot stays like this until the rollout as a whole goes on."""
        return self in _RESTING


_RESTING = frozenset(
    {
        Phase.WAITING,
        Phase.READY,
        Phase.FAILED,
        Phase.SUPERSEDED,
        Phase.SETTLED,
        Phase.UNDONE,
        Phase.LEFT,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One candidate that was tried and did not do.

    :param candidate: its place among the target's, from 0.
    """

    candidate: int
    region: str
    zone: str | None
    size: str
    error_kind: ErrorKind
    error: str
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotProgress:
    """How far one slot is.

    :param candidate: that is being tried.
    :param generation: of its next or present instance.
    :param instance: that the slot holds, as it was seen last.
    :param adopted: whether it was there before this run.
    :param restarted: whether it had been stopped for a later revision, and was started again.
    :param waits_for: operations under way.
    :param deadline: when the present phase counts as failed.
    :param not_before: when the next step is due.
    :param looked_from: only a listing that was begun later counts.
    :param tries: errors in a row that may pass.
    :param checks: health checks in a row that succeeded.
    :param complaint: what the last health check found wrong.
    :param launched: a launch that was accepted, and has not been looked at yet.
    :param may_hide: until when a listing may not show a launch whose answer was lost.
    :param losses: how many of its instances were terminated by somebody else.
    :param taken: whether its instance has been taken for good.
    :param undid: whether something was put back.
    :param undo_failed: whether something could not be.
    :param superseded_by: the later revision that ours yielded to.
    :param began_at: when the slot was begun; ``ended_at``: when it rested for good.
    """

    target: str
    number: int
    phase: Phase = Phase.WAITING
    candidate: int = 0
    generation: int = 1
    instance: Instance | None = None
    adopted: bool = False
    restarted: bool = False
    waits_for: tuple[Operation, ...] = ()
    deadline: datetime | None = None
    not_before: datetime | None = None
    looked_from: datetime | None = None
    tries: int = 0
    checks: int = 0
    complaint: str | None = None
    may_hide: datetime | None = None
    launched: InstanceRef | None = None
    blocks: tuple[Block, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    losses: int = 0
    taken: bool = False
    undid: bool = False
    undo_failed: bool = False
    superseded_by: str | None = None
    error_kind: ErrorKind | None = None
    error: str | None = None
    began_at: datetime | None = None
    ended_at: datetime | None = None


class Stage(StrEnum):
    """What is being done for the rollout as a whole."""

    ROLLING = "rolling"
    CLOSING = "closing"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutProgress:
    """How far a rollout is.

    :param wave: that is being rolled out, from 0.
    :param stopped: why no other wave was begun.
    :param quorum_met: what was decided after the last wave.
    """

    slots: tuple[SlotProgress, ...]
    stage: Stage = Stage.ROLLING
    wave: int = 0
    stopped: str | None = None
    quorum_met: bool | None = None
    began_at: datetime | None = None
