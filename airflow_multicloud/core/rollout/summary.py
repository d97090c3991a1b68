"""The summary of a release: what was planned, who approved it, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Self

from airflow_multicloud.core import pages
from airflow_multicloud.core.rollout.approval import hash_of, read_plan
from airflow_multicloud.core.rollout.costs import CostPreview, amount, per_hour, preview_of
from airflow_multicloud.core.rollout.drift import DriftFinding
from airflow_multicloud.core.rollout.names import place_of
from airflow_multicloud.core.rollout.outcomes import (
    MultiCloudDeploymentResult,
    Outcome,
    TargetResult,
)
from airflow_multicloud.core.rollout.plans import DeploymentPlan
from airflow_multicloud.documents import read_document
from airflow_multicloud.text import shortened

#: Of an error on the page; the report has it all.
_LONGEST_ERROR = 600


class ReleaseVerdict(StrEnum):
    """What came of a release."""

    #: Enough targets run the revision, and it stayed well as far as that was watched.
    SUCCEEDED = "SUCCEEDED"
    #: It was rolled out, and did not stay well.
    UNWELL = "UNWELL"
    #: Too few targets run it.
    FAILED = "FAILED"
    #: Nothing was rolled out.
    NOT_ROLLED_OUT = "NOT_ROLLED_OUT"


MEANINGS: Mapping[ReleaseVerdict, str] = {
    ReleaseVerdict.SUCCEEDED: "The revision runs at enough targets.",
    ReleaseVerdict.UNWELL: "The revision was rolled out, and was not seen to stay well.",
    ReleaseVerdict.FAILED: "The revision runs at too few targets: the rollout has failed.",
    ReleaseVerdict.NOT_ROLLED_OUT: "Nothing was rolled out: the run ended before.",
}


class ApprovalState(StrEnum):
    """Whether somebody has approved the plan."""

    APPROVED = "approved"
    NOT_ASKED = "not asked"
    NOT_APPROVED = "not approved"
    NOT_REACHED = "not reached"


@dataclass(frozen=True, slots=True)
class Approval:
    """Who approved a plan.

    :param by: as Airflow knows them, where it tells.
    :param at: when.
    """

    state: ApprovalState
    by: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedArtifact:
    """What is released, and where it is kept.

    :param unchanged: it was there already; none where that is not known.
    :param replicas: the places that it was replicated to, and what became of each.
    """

    uri: str
    size: int
    sha256: str
    unchanged: bool | None = None
    replicas: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedFigures:
    """What became of the release's figures at one cloud: ``points_in`` is the sum of the rest."""

    conn_id: str
    cloud: str
    points_in: int
    accepted: int
    rejected: int
    unknown: int
    dropped: int
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What was seen of a deployment after its rollout.

    :param targets: name → how many of its instances were asked, and well.
    """

    targets: Mapping[str, int]
    drift: tuple[DriftFinding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseSummary:
    """What is known of one release; what a run did not come to is ``None``.

    :param watched: what the watching task has told, when it found all well.
    :param is_watched: whether a task was to watch it.
    :param exported: to each cloud.
    :param failed_tasks: of the run, until now.
    :param run: who and what released it: names and values, as text.
    """

    deployment_id: str
    written_at: datetime
    revision: str | None = None
    plan: DeploymentPlan | None = None
    approval: Approval = Approval(ApprovalState.NOT_REACHED)
    artifact: ReleasedArtifact | None = None
    result: MultiCloudDeploymentResult | None = None
    watched: Watched | None = None
    is_watched: bool = False
    exported: tuple[ExportedFigures, ...] = ()
    failed_tasks: tuple[str, ...] = ()
    run: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        deployment_id: str,
        *,
        plan: Mapping[str, Any] | None = None,
        upload: Mapping[str, Any] | None = None,
        result: Mapping[str, Any] | None = None,
        watched: Mapping[str, Any] | None = None,
        exported: Mapping[str, Any] | None = None,
        **known: Any,
    ) -> Self:
        """From the documents that the tasks of a release have returned.

        :param known: the other fields.
        :raises CloudError: ``integrity`` for a document that can't be read.
        """
        made = None if plan is None else read_plan(plan)
        done = (
            None
            if result is None
            else read_document(MultiCloudDeploymentResult, result, what="the deployment's report")
        )
        revision = made.revision if made is not None else done and done.revision
        return cls(
            deployment_id=deployment_id,
            written_at=datetime.now(UTC),
            revision=revision or None,
            plan=made,
            artifact=_artifact(upload, made),
            result=done,
            watched=None if watched is None else _watched(watched),
            exported=() if exported is None else _exported(exported),
            **known,
        )

    @property
    def verdict(self) -> ReleaseVerdict:
        """What came of it."""
        if self.result is None:
            return ReleaseVerdict.NOT_ROLLED_OUT
        if not self.result.succeeded:
            return ReleaseVerdict.FAILED
        unseen = self.is_watched and self.watched is None
        return ReleaseVerdict.UNWELL if unseen else ReleaseVerdict.SUCCEEDED

    @property
    def plan_hash(self) -> str | None:
        """Of what was approved, in hex."""
        if self.plan is not None:
            return hash_of(self.plan)
        return None if self.result is None else self.result.plan_hash

    @property
    def cost(self) -> CostPreview | None:
        """What it is expected to cost."""
        return None if self.plan is None else preview_of(self.plan)

    @property
    def findings(self) -> tuple[str, ...]:
        """What is wrong, a sentence each."""
        found = [f"The task {name} failed; its log says why." for name in self.failed_tasks]
        if self.result is not None:
            bad = [one for one in self.result.targets if not one.outcome.is_success]
            found += [f"{one.name}: {one.outcome}{_because(one)}" for one in bad]
            found += [self.result.stopped] if self.result.stopped else []
        found += [str(one) for one in (self.watched.drift if self.watched is not None else ())]
        return tuple(found)

    def html(self) -> bytes:
        """As one page that needs nothing else."""
        page = pages.render(
            __package__,
            "summary.html.jinja",
            s=self,
            meaning=MEANINGS[self.verdict],
            good=self.verdict is ReleaseVerdict.SUCCEEDED,
            success=[one for one in Outcome if one.is_success],
            amount=amount,
            per_hour=per_hour,
            place_of=place_of,
            took=self._took(),
        )
        return page.encode()

    def _took(self) -> float | None:
        done = self.result
        return None if done is None else (done.ended_at - done.began_at).total_seconds()


def _because(target: TargetResult) -> str:
    if target.superseded_by is not None:
        return f" ({target.superseded_by} is later)"
    return f": {shortened(target.error, _LONGEST_ERROR)}" if target.error else ""


def _artifact(
    upload: Mapping[str, Any] | None, plan: DeploymentPlan | None
) -> ReleasedArtifact | None:
    if upload is None:
        if plan is None:
            return None
        known = plan.artifact
        return ReleasedArtifact(uri=known.uri, size=known.size, sha256=known.sha256)
    artifact = read_document(ReleasedArtifact, upload, what="the upload's report")
    replicated: Sequence[Mapping[str, Any]] = (upload.get("replication") or {}).get(
        "destinations", ()
    )
    return ReleasedArtifact(
        uri=artifact.uri,
        size=artifact.size,
        sha256=artifact.sha256,
        unchanged=artifact.unchanged,
        replicas=tuple(map(_replica, replicated)),
    )


def _replica(told: Mapping[str, Any]) -> str:
    outcomes = ", ".join(str(outcome) for outcome, count in told["outcomes"].items() if count)
    return f"{told['uri']}: {outcomes}"


def _watched(document: Mapping[str, Any]) -> Watched:
    given = {
        "targets": {name: len(slots) for name, slots in document["targets"].items()},
        "drift": document["drift"],
    }
    return read_document(Watched, given, what="what was watched")


def _exported(document: Mapping[str, Any]) -> tuple[ExportedFigures, ...]:
    return tuple(
        read_document(ExportedFigures, one, what="an export's report")
        for one in document["destinations"]
    )
