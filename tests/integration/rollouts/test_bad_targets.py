"""Rollouts in which targets are bad, slow, full, or get another artifact than was planned."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.core.rollout.deploying import deliver, ended, plan_rollout, rollout_of
from airflow_multicloud.core.rollout.deployment import Deployment
from airflow_multicloud.core.rollout.places import artifact_name
from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.opening.rollout import open_deployment
from airflow_multicloud.testing.machine_faults import FaultKind, MachineFault
from airflow_multicloud.testing.sample_app import Behaviour
from tests.integration.lab import flip

from .landscape import answers, network_of, outcomes, target

if TYPE_CHECKING:
    from .landscape import Landscape


def test_one_is_bad_one_is_slow_and_one_is_full(landscape: Landscape) -> None:
    landscape.deploy(landscape.app("first"), revision="one").raise_if_failed()
    before = landscape.by_cloud()
    broken = landscape.app(
        "second", behaviour=Behaviour.EXITS, where=network_of(before["gcp"].address)
    )
    full_zone = "us-east-1a"
    assert before["aws"].zone == full_zone
    full = MachineFault(kind=FaultKind.REFUSE, error=ErrorKind.CAPACITY, zone=full_zone)
    slow = MachineFault(kind=FaultKind.SLOW_BOOT, seconds=4.0)
    landscape.plant("aws", full)
    landscape.plant("azure", slow)

    result = landscape.deploy(broken, revision="two", policy={"health_timeout_seconds": 12})

    assert outcomes(result) == {"aws": "succeeded", "gcp": "rolled_back", "azure": "succeeded"}
    assert target(result, "azure").seconds > slow.seconds
    aws = target(result, "aws")
    assert [(one.zone, one.error_kind) for one in aws.attempts] == [(full_zone, ErrorKind.CAPACITY)]
    assert [one.zone for one in aws.instances] == ["us-east-1b"]
    now = landscape.by_cloud()
    assert answers(list(now.values())) == {"aws": "two", "gcp": "one", "azure": "two"}
    assert now["gcp"].id == before["gcp"].id
    with pytest.raises(DeploymentError, match=r"gcp: rolled_back") as caught:
        result.raise_if_failed()
    told = str(caught.value)
    assert "2 of 3 targets run it" in told
    assert "the sample application ends at once, as it was told to" in told
    assert told.endswith("startup script: exit status 1)")


def test_an_artifact_that_was_changed_in_one_bucket_is_refused_there(
    landscape: Landscape,
) -> None:
    deployment = Deployment.of(
        landscape.document(
            landscape.app(), policy={"rollback": "none", "health_timeout_seconds": 8}
        )
    )
    opened = open_deployment(deployment)
    plan = plan_rollout(deployment, opened.artifact, opened.targets, datetime.now(UTC))
    delivered = deliver(plan, opened.artifact, opened.targets)
    name = artifact_name(landscape.deployment_id, plan.artifact.sha256, plan.artifact.file_name)
    flip(landscape.places["gcp"] + name)

    rollout = rollout_of(delivered, opened.targets)
    result = ended("", delivered, rollout.run(rollout.begin()))

    assert outcomes(result) == {"aws": "succeeded", "gcp": "failed", "azure": "succeeded"}
    error = target(result, "gcp").error
    assert error is not None
    assert "airflow-multicloud: refused: the artifact's SHA-256 is" in error
    assert f"expected {plan.artifact.sha256}" in error
    (scratch,) = landscape.folders["gcp"].glob("*/scratch")
    assert list((scratch / landscape.deployment_id).iterdir()) == []


def test_an_expired_url_is_told(landscape: Landscape) -> None:
    # Azure says that a machine runs before its script does.
    landscape.plant("azure", MachineFault(kind=FaultKind.SLOW_BOOT, seconds=8.0))
    only = [one for one in landscape.targets() if one["name"] == "azure"]
    policy = {"boot_timeout_seconds": 4, "health_timeout_seconds": 16}

    result = landscape.deploy(landscape.app(), targets=only, policy=policy, url_lifetime_seconds=5)

    assert outcomes(result) == {"azure": "rolled_back"}
    error = target(result, "azure").error
    assert error is not None
    assert "its URL answered HTTP 403 (400 or 403: it may have expired)" in error
    landscape.check_nothing_is_left()
