"""From connections to clouds and places; what is missing is named with its target."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.rollout.artifacts import deliver_artifact, look_at_artifact
from airflow_multicloud.core.rollout.planning import plan_deployment
from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.opening.rollout import open_deployment
from tests.unit.rollout.givens import deployment, target
from tests.unit.rollout.worlds import ORDER

if TYPE_CHECKING:
    from collections.abc import Callable


def test_a_deployment_is_opened_planned_and_delivered(
    memory_account: Callable[[str, str], str], tmp_path: Path
) -> None:
    memory_account("memory_one", "lab")
    memory_account("memory_two", "lab")
    artifact = tmp_path / "app.tar.gz"
    artifact.write_bytes(b"an artifact")
    given = deployment(
        target("one"),
        target("two", conn_id="memory_two", artifacts="mem://memory_two@lab/releases/"),
        artifact=str(artifact),
    )
    found = open_deployment(given)
    assert found.artifact == artifact
    assert {name: one.cloud for name, one in found.targets.items()} == {
        "one": "memory",
        "two": "memory",
    }
    looked = look_at_artifact(found.artifact)
    plan = plan_deployment(given, looked, found.targets, ORDER)
    assert [t.candidates[0].spec.account_id for t in plan.targets] == [
        "memory-memory_one",
        "memory-memory_two",
    ]
    done = deliver_artifact(found.artifact, looked, "shop", found.places)
    assert [d.sent for d in done] == [True, True]


def test_an_artifact_in_a_store(memory_account: Callable[[str, str], str]) -> None:
    memory_account("memory_one", "lab")
    found = open_deployment(deployment(artifact="mem://memory_one@lab/builds/app.tar.gz"))
    assert isinstance(found.artifact, Endpoint)
    assert found.artifact.location.key == "builds/app.tar.gz"


def test_every_connection_that_is_missing_is_named_with_its_target(
    memory_account: Callable[[str, str], str],
) -> None:
    memory_account("memory_one", "lab")
    with pytest.raises(DeploymentError) as caught:
        open_deployment(
            deployment(
                target("one"),
                target("two", conn_id="none_such"),
                target("three", artifacts="mem://none_either@lab/"),
            )
        )
    assert caught.value.kind is ErrorKind.NOT_FOUND
    said = str(caught.value)
    assert "target two: conn_id: connection 'none_such' does not exist" in said
    assert "target three: " in said
    assert "none_either" in said
    assert "target one" not in said


def test_a_connection_of_no_cloud(
    memory_account: Callable[[str, str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    memory_account("memory_one", "lab")
    monkeypatch.setenv("AIRFLOW_CONN_WEB", "http://user:secret@example.test")
    with pytest.raises(DeploymentError, match=r"target one: conn_id: .*http") as caught:
        open_deployment(deployment(target(conn_id="web")))
    assert "secret" not in str(caught.value)


def test_an_artifact_whose_connection_is_missing(
    memory_account: Callable[[str, str], str],
) -> None:
    memory_account("memory_one", "lab")
    with pytest.raises(DeploymentError, match="none_such") as caught:
        open_deployment(deployment(artifact="mem://none_such@lab/app"))
    assert caught.value.kind is ErrorKind.NOT_FOUND
