"""What deployments, rollbacks and teardowns need, and starting and stopping of instances."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from airflow_multicloud.core.preflight.needs import Need, ObjectPlace
from airflow_multicloud.core.preflight.objects import (
    LEDGER,
    reading,
    reading_one,
    replica,
    sending,
)
from airflow_multicloud.core.rollout.inputs import refused, regions_by_connection, text
from airflow_multicloud.core.rollout.names import DEPLOYMENT, check_id
from airflow_multicloud.core.rollout.places import check_artifact, is_uri
from airflow_multicloud.core.rollout.summary_pages import SUMMARIES
from airflow_multicloud.core.rollout.targets import Target, read_targets
from airflow_multicloud.lists import texts
from airflow_multicloud.ports.compute.launches import LIFE, facts_of

#: Of every operator of this kind, without effect on what is called.
_WAITING = frozenset({"poll_interval", "timeout", "deferrable"})
_ROLLING_OUT = _WAITING | {
    *("policy", "url_lifetime", "max_instances", "approved_plan", "dry_run"),
    *("max_monthly_cost", "prices"),
}
_EVERY_REGION = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deploy:
    """A deployment, in the words of ``DeployOperator``.

    :param versioned: see :class:`~.objects.Replicate`.
    """

    deployment_id: str
    artifact: object
    targets: object
    versioned: bool = True

    WITHOUT_EFFECT: ClassVar[frozenset[str]] = _ROLLING_OUT | {
        *("revision", "artifact_sha256", "command", "port", "health")
    }

    def needs(self) -> Iterator[Need]:
        """Of the artifact, of the places that it is delivered to, and of the targets' machines."""
        targets = _targets(self.deployment_id, self.targets)
        artifact = check_artifact(self.artifact, "artifact")
        if is_uri(artifact):
            source = ObjectPlace.of(artifact, "deploy: artifact", "artifact")
            yield from reading_one(source, tags=False, versioned=self.versioned)
        for place in _places(self.deployment_id, targets, "deploy: artifacts"):
            if is_uri(artifact):
                yield from _copied(place, versioned=self.versioned)
            else:
                yield from sending(place, versioned=self.versioned)
            yield from _delivered(place)
        yield from _machines(self.deployment_id, targets, "deploy: target")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback:
    """A rollback, in the words of ``RollbackOperator``.

    :param versioned: see :class:`~.objects.Replicate`.
    """

    deployment_id: str
    targets: object
    versioned: bool = True

    WITHOUT_EFFECT: ClassVar[frozenset[str]] = _ROLLING_OUT | {"to"}

    def needs(self) -> Iterator[Need]:
        """Of the places, each of which may have what the others lack, and of the machines."""
        targets = _targets(self.deployment_id, self.targets)
        for place in _places(self.deployment_id, targets, "rollback: artifacts"):
            yield from reading(place, tags=False, versioned=self.versioned)
            if self.versioned:
                yield from place.needs(("stat_object:version", "get_object:version"))
            yield from _copied(place, versioned=self.versioned)
            yield from _delivered(place)
        yield from _machines(self.deployment_id, targets, "rollback: target")


@dataclass(frozen=True, slots=True, kw_only=True)
class Teardown:
    """A teardown, in the words of ``TeardownOperator``."""

    deployment_id: str
    conn_ids: object
    regions: object = None

    WITHOUT_EFFECT: ClassVar[frozenset[str]] = _WAITING | {"removal_timeout", "confirm_after"}

    def needs(self) -> Iterator[Need]:
        """Of each connection's machines, in its regions or in all of them."""
        check_id(text("deployment_id", self.deployment_id), "deployment_id")
        uses = ("list_instances", "terminate_instance", "describe_operation:terminate")
        for conn_id, regions in regions_by_connection(self.conn_ids, self.regions).items():
            for region in regions or (_EVERY_REGION,):
                facts = {"region": region, "label": f"{DEPLOYMENT}={self.deployment_id}"}
                if not regions:
                    facts["every_region"] = "yes"
                yield from _uses("teardown", conn_id, uses, facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class SummarizeRelease:
    """The page of a release's summary, in the words of ``ReleaseSummaryOperator``."""

    places: object

    WITHOUT_EFFECT: ClassVar[frozenset[str]] = frozenset(
        {
            "deployment_id",
            "plan_task_id",
            "deploy_task_id",
            "upload_task_id",
            "approval_task_id",
            "health_task_id",
            "export_task_id",
        }
    )

    def needs(self) -> Iterator[Need]:
        """Of each place: a page is written, and what has its name already is looked at."""
        for uri in texts(self.places, "places", what="URIs"):
            place = ObjectPlace.of(f"{uri}{SUMMARIES}", "summarize_release: place", "places")
            yield from place.needs(("put_object", "get_object"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Power:
    """What starting and stopping have in common."""

    conn_id: str
    instance_id: str
    region: str

    WITHOUT_EFFECT: ClassVar[frozenset[str]] = _WAITING
    WHAT: ClassVar[str]
    USE: ClassVar[str]

    def needs(self) -> Iterator[Need]:
        """Of the instance."""
        uses = (self.USE, "describe_operation", "describe_instance")
        facts = {
            "instance_id": text("instance_id", self.instance_id),
            "region": text("region", self.region),
        }
        yield from _uses(self.WHAT, text("conn_id", self.conn_id), uses, facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartInstance(_Power):
    """A start, in the words of ``StartInstanceOperator``."""

    WHAT: ClassVar[str] = "start_instance"
    USE: ClassVar[str] = "power_instance:on"


@dataclass(frozen=True, slots=True, kw_only=True)
class StopInstance(_Power):
    """A stop, in the words of ``StopInstanceOperator``."""

    WHAT: ClassVar[str] = "stop_instance"
    USE: ClassVar[str] = "power_instance:off"


def _targets(deployment_id: Any, given: object) -> tuple[Target, ...]:
    check_id(text("deployment_id", deployment_id), "deployment_id")
    targets = read_targets(given)
    if not targets:
        raise refused("targets", None, "at least one")
    return targets


def _places(deployment_id: str, targets: Sequence[Target], what: str) -> Iterator[ObjectPlace]:
    """The deployment's own prefix near each target."""
    for uri in dict.fromkeys(uri for target in targets for uri in target.places()):
        yield ObjectPlace.of(f"{uri}{deployment_id}/", what, "targets: artifacts")


def _copied(place: ObjectPlace, *, versioned: bool) -> Iterator[Need]:
    """Of a place that an artifact in a store is replicated to."""
    yield from replica(place, tags=False, delete=False, create=False, versioned=versioned)


def _delivered(place: ObjectPlace) -> Iterator[Need]:
    """Of any place: it is looked at, gets a record, and signs URLs that instances read by."""
    yield from place.needs(("stat_object", "get_object", "put_object", "sign_url"))
    yield from place.needs(("delete_object:changed",))
    yield from place.needs(LEDGER, own=True)


def _machines(deployment_id: str, targets: Sequence[Target], what: str) -> Iterator[Need]:
    for target in targets:
        for prospect in target.prospects():
            for facts in facts_of(prospect.request):
                known = {**facts, "label": f"{DEPLOYMENT}={deployment_id}"}
                yield from _uses(what, target.conn_id, LIFE, known)


def _uses(what: str, conn_id: str, uses: Sequence[str], facts: Mapping[str, str]) -> Iterator[Need]:
    for use in uses:
        yield Need(what=what, conn_id=conn_id, service="compute", use=use, facts=facts)
