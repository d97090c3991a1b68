"""Drift: how what is there differs from what somebody expects; pure decisions about a listing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from airflow_multicloud.core.rollout.names import revision_label, spec_of
from airflow_multicloud.core.rollout.plans import DeploymentPlan
from airflow_multicloud.core.rollout.standing import (
    DeploymentsReport,
    SlotStanding,
    StandingInstance,
    UnreachablePlace,
)
from airflow_multicloud.documents import Document, Documented
from airflow_multicloud.ports.compute import InstanceState


class DriftKind(StrEnum):
    """How something differs."""

    #: No live instance in a slot that was taken for good.
    MISSING = "missing"
    #: The same may be so, but a place where it would be gave no answer.
    UNKNOWN = "unknown"
    #: It is stopped, or stopping.
    STOPPED = "stopped"
    #: It could not be made, and lies there.
    FAILED = "failed"
    #: Only parts are there, without a machine.
    INCOMPLETE = "incomplete"
    #: It is of another revision, or of none of the candidates.
    OTHER_REVISION = "other_revision"
    #: It is of the candidate that is expected, and has another size or image.
    CHANGED = "changed"
    #: Nobody expects it: its target, its slot, or a second one in a slot.
    UNEXPECTED = "unexpected"
    #: Its labels are not as this package writes them.
    RELABELLED = "relabelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedCandidate:
    """What an instance of one candidate is.

    :param spec: digits of the candidate's digest, as the label has them.
    :param size: its size's name; any when left out.
    :param image: its image's id; any when left out.
    """

    spec: str
    size: str | None = None
    image: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedTarget:
    """What somebody thinks there is of a target.

    :param count: slots with an instance each.
    :param conn_id: where; by any connection when left out.
    :param revision: its name; any when left out.
    :param candidates: each instance is of one of them; of any when left out.
    """

    name: str
    count: int = 1
    conn_id: str | None = None
    revision: str | None = None
    candidates: tuple[ExpectedCandidate, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedDeployment:
    """What somebody thinks there is of a deployment, with no rollout under way."""

    deployment_id: str
    targets: tuple[ExpectedTarget, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftFinding:
    """One difference.

    :param slot: in which, where it is in one.
    :param instance_id: of which instance, where there is one.
    :param what: in words.
    """

    kind: DriftKind
    target: str | None
    slot: int | None
    instance_id: str | None
    what: str

    def __str__(self) -> str:
        """One line."""
        slot = "" if self.slot is None else f", slot {self.slot}"
        place = f"target {self.target}{slot}: " if self.target is not None else ""
        return f"{self.kind}: {place}{self.what}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport(Documented):
    """How what is there differs from what is expected.

    :param complete: whether every place has answered.
    """

    DOCUMENT: ClassVar[Document] = Document(
        shows=("deployment_id", "as_expected", "complete", "findings")
    )

    deployment_id: str
    findings: tuple[DriftFinding, ...]
    complete: bool

    @property
    def as_expected(self) -> bool:
        """Whether it is known that nothing differs."""
        return self.complete and not self.findings


def expected_of(plan: DeploymentPlan) -> ExpectedDeployment:
    """What is there when a plan has been carried out."""
    return ExpectedDeployment(
        deployment_id=plan.deployment_id,
        targets=tuple(
            ExpectedTarget(
                name=target.name,
                count=target.count,
                conn_id=target.conn_id,
                revision=plan.revision,
                candidates=tuple(
                    ExpectedCandidate(
                        spec=spec_of(candidate.digest),
                        size=candidate.spec.size.name,
                        image=candidate.spec.image.id,
                    )
                    for candidate in target.candidates
                ),
            )
            for target in plan.targets
        ),
    )


def drift_of(expected: ExpectedDeployment, report: DeploymentsReport) -> DriftReport:
    """How a deployment differs from what is expected.

    A rollout that is under way shows as drift: its instances are new, or lie beside others.
    """
    there = {
        target.name: {slot.number: slot for slot in target.slots}
        for target in report.deployment(expected.deployment_id).targets
    }
    findings: list[DriftFinding] = []
    for target in expected.targets:
        slots = there.pop(target.name, {})
        unseen = _unseen(target, report.unreachable)
        for number in range(target.count):
            slot = slots.pop(number, SlotStanding(number=number, instances=()))
            findings += _of_slot(target, slot, unseen)
        why = f"there are to be {target.count} in this target"
        findings += _unexpected(target.name, list(slots.values()), why)
    for name, slots in there.items():
        findings += _unexpected(name, list(slots.values()), "nobody expects this target")
    findings += [
        DriftFinding(
            kind=DriftKind.RELABELLED,
            target=one.target,
            slot=None,
            instance_id=one.id,
            what=f"{one.id} ({one.name}): {one.why}",
        )
        for one in report.unreadable
        if one.deployment_id == expected.deployment_id
    ]
    return DriftReport(
        deployment_id=expected.deployment_id,
        findings=tuple(findings),
        complete=report.complete,
    )


def _unseen(
    target: ExpectedTarget, unreachable: Sequence[UnreachablePlace]
) -> UnreachablePlace | None:
    """A place without an answer where a target's instances may be."""
    may = (one for one in unreachable if target.conn_id in (None, one.conn_id))
    return next(may, None)


def _of_slot(
    target: ExpectedTarget, slot: SlotStanding, unseen: UnreachablePlace | None
) -> Iterator[DriftFinding]:
    live = [one for one in slot.instances if one.state.is_live]
    current = [one for one in live if one.is_current]
    if not current:
        yield _missing(target, slot, unseen)
    for one in slot.instances:
        yield from _by_state(target.name, slot.number, one)
    for one in current:
        yield from _by_spec(target, slot.number, one)
    kept = (current or live)[:1]
    for one in live:
        if one not in kept:
            what = f"a second live instance, {one.standing}: {_told(one)}"
            yield _finding(DriftKind.UNEXPECTED, target.name, slot.number, one, what)


def _missing(
    target: ExpectedTarget, slot: SlotStanding, unseen: UnreachablePlace | None
) -> DriftFinding:
    others = ", ".join(f"{_told(one)} is {one.standing}, {one.state}" for one in slot.instances)
    what = "no live instance that was taken for good" + (f" ({others})" if others else "")
    kind = DriftKind.MISSING
    if unseen is not None:
        kind = DriftKind.UNKNOWN
        what += f"; but {unseen.conn_id} gave no answer: {unseen.error_kind}: {unseen.error}"
    return _finding(kind, target.name, slot.number, None, what)


def _by_state(target: str, slot: int, one: StandingInstance) -> Iterator[DriftFinding]:
    if one.is_current and one.state in (InstanceState.STOPPED, InstanceState.STOPPING):
        why = f": {one.error}" if one.error else ""
        what = f"{_told(one)} is {one.state}{why}"
        yield _finding(DriftKind.STOPPED, target, slot, one, what)
    if one.state is InstanceState.FAILED:
        why = one.error or "its cloud does not say why"
        yield _finding(DriftKind.FAILED, target, slot, one, f"{_told(one)} has failed: {why}")
    if one.state is InstanceState.INCOMPLETE:
        what = f"of {_told(one)} only parts are there, without a machine"
        yield _finding(DriftKind.INCOMPLETE, target, slot, one, what)


def _by_spec(target: ExpectedTarget, slot: int, one: StandingInstance) -> Iterator[DriftFinding]:
    if target.revision is not None and one.revision != revision_label(target.revision):
        what = f"{_told(one)} is of revision {one.revision}, expected {target.revision}"
        yield _finding(DriftKind.OTHER_REVISION, target.name, slot, one, what)
        return
    alike = [candidate for candidate in target.candidates if candidate.spec == one.spec]
    if target.candidates and not alike:
        specs = ", ".join(dict.fromkeys(candidate.spec for candidate in target.candidates))
        what = f"{_told(one)} is of spec {one.spec}, expected {specs}"
        yield _finding(DriftKind.OTHER_REVISION, target.name, slot, one, what)
    for candidate in alike[:1]:
        for name, wanted, found in (
            ("size", candidate.size, one.size),
            ("image", candidate.image, one.image),
        ):
            # Azure takes names in any case, and may give them back in another.
            if wanted and found and wanted.casefold() != found.casefold():
                what = f"{_told(one)} has the {name} {found}, expected {wanted}"
                yield _finding(DriftKind.CHANGED, target.name, slot, one, what)


def _unexpected(target: str, slots: Sequence[SlotStanding], why: str) -> Iterator[DriftFinding]:
    for slot in slots:
        for one in slot.instances:
            if not one.is_going:
                what = f"{_told(one)} is {one.state}: {why}"
                yield _finding(DriftKind.UNEXPECTED, target, slot.number, one, what)


def _finding(
    kind: DriftKind, target: str, slot: int, one: StandingInstance | None, what: str
) -> DriftFinding:
    return DriftFinding(
        kind=kind,
        target=target,
        slot=slot,
        instance_id=None if one is None else one.id,
        what=what,
    )


def _told(one: StandingInstance) -> str:
    return f"{one.id} ({one.name})" if one.name and one.name != one.id else one.id
