"""What the steps of a slot share: what is wanted there, waiting, trying again, giving up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from airflow_multicloud.core.rollout.looking import Seen, Wanted, seen_in
from airflow_multicloud.core.rollout.names import Rank, Slot, Standing, identity_of, order_of
from airflow_multicloud.core.rollout.plans import DeploymentPlan
from airflow_multicloud.core.rollout.progress import Phase, SlotProgress
from airflow_multicloud.core.rollout.site import Site
from airflow_multicloud.core.telemetry import count_retry
from airflow_multicloud.errors import CloudError, DeploymentError, ErrorKind
from airflow_multicloud.ports.compute import ConsoleOutput, Instance
from airflow_multicloud.ports.operations import Operation
from airflow_multicloud.text import printable, shortened

_SHORTEST_PAUSE, _LONGEST_PAUSE = timedelta(milliseconds=50), timedelta(seconds=30)
_MOST_DOUBLINGS = 10
_CONSOLE_LINES = 5
#: Characters of a line of a console, and of the rest of what is told of a failure. A slot's
#: progress goes into the metadata database, again at every look of a trigger.
_LONGEST_LINE = 240
_LONGEST_ERROR = 600
#: Whoever terminates our instances so often means it.
_MOST_LOSSES = 3

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """How far operations are.

    :param left: those that go on.
    :param wait: how long their cloud asks to wait.
    :param failure: what one of them failed with; nobody goes on with that one.
    """

    left: tuple[Operation, ...]
    wait: timedelta | None
    failure: DeploymentError | None


class SlotBase:
    """What the steps of one target's slots share.

    :param plan: of the rollout.
    :param site: of the target.
    :param clock: gives the time, aware.
    """

    def __init__(self, plan: DeploymentPlan, site: Site, clock: Clock) -> None:
        self.plan = plan
        self.site = site
        self.clock = clock
        self.specs = site.specs

    def wanted(self, slot: SlotProgress) -> Wanted:
        """What this run wants of a slot."""
        return Wanted(
            slot=Slot(
                deployment_id=self.plan.deployment_id, target=slot.target, number=slot.number
            ),
            rank=Rank(order=order_of(self.plan.order), spec=self._spec(slot)),
            specs=self.specs.keys(),
            accounts={candidate.spec.account_id for candidate in self.site.plan.candidates},
        )

    def _spec(self, slot: SlotProgress) -> str:
        held = None if slot.instance is None else identity_of(slot.instance)
        return max(self.specs, default="") if held is None else held.rank.spec

    def seen(self, slot: SlotProgress) -> tuple[Seen, ...]:
        """What lies in a slot, by a listing that is new enough."""
        since = slot.looked_from or self.clock()
        return seen_in(self.wanted(slot).slot, self.site.listed(since, self.clock))

    def tried(self, slot: SlotProgress, err: CloudError) -> SlotProgress:
        """A slot whose step is done again, the later the more often it was refused."""
        count_retry(err)
        doubled = self.plan.policy.poll_interval * 2 ** min(slot.tries, _MOST_DOUBLINGS)
        pause = max(min(_LONGEST_PAUSE, doubled), err.retry_after or _SHORTEST_PAUSE)
        return replace(slot, tries=slot.tries + 1, not_before=self.clock() + pause)

    def looked_at(self, operations: Sequence[Operation]) -> Looked:
        """How far some operations are."""
        now = [self.site.compute.describe_operation(operation) for operation in operations]
        left = tuple(operation for operation in now if not operation.state.is_final)
        waits = [one.poll_after for one in left if one.poll_after is not None]
        failure = None
        for operation in now:
            try:
                operation.raise_if_failed(DeploymentError, self.site.plan.cloud)
            except DeploymentError as err:
                failure = err
        return Looked(left=left, wait=max(waits, default=None), failure=failure)

    def later(self, slot: SlotProgress, wait: timedelta | None = None) -> SlotProgress:
        """A slot that is looked at after a while, unless it has taken too long already."""
        now = self.clock()
        if slot.deadline is not None and now >= slot.deadline:
            if slot.complaint is not None:
                # It had all its time to become healthy: another try won't make it so.
                return self.failed(slot, ErrorKind.PRECONDITION_FAILED, slot.complaint)
            return self.failed(slot, ErrorKind.TIMEOUT, f"it was {slot.phase} for too long")
        return self.again(slot, wait)

    def again(self, slot: SlotProgress, wait: timedelta | None = None) -> SlotProgress:
        """A slot that is looked at after a while."""
        pause = self.plan.policy.poll_interval if wait is None else wait
        return replace(slot, not_before=self.clock() + pause)

    def lost(self, slot: SlotProgress, why: str) -> SlotProgress:
        """A slot whose instance was terminated by somebody: an earlier run that came late, say.

        It is looked at again, a few times; that may find who did it.
        """
        if slot.losses >= _MOST_LOSSES:
            return self.failed(slot, ErrorKind.UNAVAILABLE, why)
        now = self.clock()
        # Not at once: a listing may still show what is gone, or hide what is new.
        return replace(
            slot,
            phase=Phase.LOOKING,
            not_before=now + self.plan.policy.poll_interval,
            losses=slot.losses + 1,
            instance=None,
            waits_for=(),
            looked_from=now,
            deadline=now + self.plan.policy.boot_timeout,
        )

    def failed(self, slot: SlotProgress, kind: ErrorKind, why: str) -> SlotProgress:
        """A slot that has failed, with the end of its instance's console."""
        return replace(
            slot,
            phase=Phase.FAILED,
            error_kind=kind,
            error=told_shortly(why) + self._console(slot),
            deadline=None,
            not_before=None,
        )

    def broken(self, slot: SlotProgress, err: Exception) -> SlotProgress:
        """A slot of which a step failed in a way that was not foreseen, as a bug makes it."""
        return replace(
            slot,
            phase=Phase.FAILED,
            error_kind=slot.error_kind or ErrorKind.UNAVAILABLE,
            error=told_shortly(f"{slot.phase}: unforeseen {type(err).__name__}: {err}"),
            deadline=None,
            not_before=None,
        )

    def _console(self, slot: SlotProgress) -> str:
        """The end of what an instance wrote, which mostly says why it is not healthy."""
        if slot.instance is None or not isinstance(self.site.compute, ConsoleOutput):
            return ""
        try:
            text = self.site.compute.read_console(slot.instance.ref)
        except CloudError:
            return ""  # The failure itself is told; this would only have added to it.
        lines = [line for line in text.splitlines() if line.strip()][-_CONSOLE_LINES:]
        shown = " | ".join(shortened(printable(line.strip()), _LONGEST_LINE) for line in lines)
        return f"; its console ends with: {shown}" if lines else ""


def told_shortly(why: str) -> str:
    """What is told of a failure: one printable line, cut to 600 characters."""
    return shortened(printable(why), _LONGEST_ERROR)


def has_served(instance: Instance | None) -> bool:
    """Whether an instance was taken for good once."""
    identity = None if instance is None else identity_of(instance)
    return identity is not None and identity.standing is not Standing.NEW


def held_by(slot: SlotProgress) -> Instance:
    """The instance of a slot that is in a phase with one."""
    if slot.instance is None:
        raise AssertionError(f"a slot that is {slot.phase} holds an instance")
    return slot.instance
