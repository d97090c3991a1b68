"""From what is given to instances that run, and back to an earlier revision."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from airflow_multicloud.core.rollout.artifacts import deliver_artifact, look_at_artifact
from airflow_multicloud.core.rollout.deployment import Deployment
from airflow_multicloud.core.rollout.names import DEPLOYMENT
from airflow_multicloud.core.rollout.planning import plan_deployment
from airflow_multicloud.core.rollout.plans import DeploymentPlan
from airflow_multicloud.core.rollout.progress import Phase
from airflow_multicloud.core.rollout.revision_records import revision_of
from airflow_multicloud.core.rollout.revisions import find_revision, record_revision
from airflow_multicloud.core.rollout.rollbacks import find_artifact, rollback_of
from airflow_multicloud.core.rollout.rollout import Rollout
from airflow_multicloud.core.rollout.sites import sites_of
from airflow_multicloud.core.rollout.targets import read_targets
from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.opening.revisions import earlier_deployment
from airflow_multicloud.opening.rollout import OpenedDeployment, open_deployment
from airflow_multicloud.testing.memory_cloud import compute
from tests.unit.rollout.givens import deployment, target
from tests.unit.rollout.worlds import ORDER

POLICY = {"poll_interval_seconds": 0.001, "healthy_checks": 1}
TWO = "mem://memory_two@lab/releases/"


@pytest.fixture
def _accounts(memory_account: Callable[[str, str], str]) -> Iterator[None]:
    memory_account("memory_one", "lab")
    memory_account("memory_two", "lab")
    yield
    compute.reset()


TARGETS = (
    target("one", count=2),
    target("two", conn_id="memory_two", artifacts=TWO),
)


def given(artifact: Path, **changed: object) -> Deployment:
    return deployment(
        target("one", count=2),
        target("two", conn_id="memory_two", artifacts=TWO),
        artifact=str(artifact),
        policy=POLICY,
        **changed,
    )


def write(folder: Path, content: bytes) -> Path:
    file = folder / "app.tar.gz"
    file.write_bytes(content)
    return file


def roll_out(wanted: Deployment, hours: int) -> tuple[DeploymentPlan, OpenedDeployment]:
    opened = open_deployment(wanted)
    artifact = look_at_artifact(opened.artifact)
    plan = plan_deployment(wanted, artifact, opened.targets, ORDER + timedelta(hours=hours))
    delivered = deliver_artifact(opened.artifact, artifact, plan.deployment_id, opened.places)
    assert [one.error for one in delivered] == [None, None]
    assert record_revision(revision_of(plan), opened.places) == {}
    rollout = Rollout(plan, sites_of(plan, opened.targets))
    done = rollout.run(rollout.begin())
    assert {slot.phase for slot in done.slots} == {Phase.SETTLED}
    return plan, opened


def running() -> dict[str, list[str]]:
    """Account → revisions that run there."""
    return {
        conn_id: sorted(
            instance.labels["multicloud-revision"]
            for instance in compute.Hook(conn_id).list_instances({DEPLOYMENT: "shop"})
        )
        for conn_id in ("memory_one", "memory_two")
    }


@pytest.mark.usefixtures("_accounts")
def test_a_revision_replaces_another_and_comes_back(tmp_path: Path) -> None:
    roll_out(given(write(tmp_path, b"first"), revision="1", command="./first"), 0)
    assert running() == {"memory_one": ["1", "1"], "memory_two": ["1"]}
    _, opened = roll_out(given(write(tmp_path, b"second"), revision="2"), 1)
    assert running() == {"memory_one": ["2", "2"], "memory_two": ["2"]}

    found = find_revision("shop", opened.places, "1")
    kept = find_artifact(found, opened.places)
    plan, _ = roll_out(rollback_of(found, kept, read_targets(TARGETS), policy=POLICY), 2)
    assert (plan.revision, plan.command) == ("1", "./first")
    assert running() == {"memory_one": ["1", "1"], "memory_two": ["1"]}
    # It is the same revision: its record stays as it was.
    assert find_revision("shop", opened.places, "1").revision == found.revision


@pytest.mark.usefixtures("_accounts")
def test_an_artifact_that_is_damaged_at_one_place_is_taken_from_another(tmp_path: Path) -> None:
    _, opened = roll_out(given(write(tmp_path, b"first"), revision="1"), 0)
    one, two = opened.places.values()
    found = find_revision("shop", opened.places, "1")
    key = found.revision.key
    one.store.put_object(one.ref(one.key_of(key)), b"evil!")
    kept = find_artifact(found, opened.places)
    assert kept.source.location == two.location.with_key(two.key_of(key))
    back = rollback_of(found, kept, read_targets(TARGETS), policy=POLICY)
    roll_out(back, 1)
    assert bytes(one.store.get_object(one.ref(one.key_of(key))).read()) == b"first"


@pytest.mark.usefixtures("_accounts")
def test_a_record_that_one_place_lacks_must_be_named_in_full(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _, opened = roll_out(given(write(tmp_path, b"good"), revision="1"), 0)
    evil = look_at_artifact(write(tmp_path, b"evil"))
    two = {TWO: opened.places[TWO]}
    deliver_artifact(tmp_path / "app.tar.gz", evil, "shop", two)
    known = find_revision("shop", opened.places, "1").revision
    key = f"shop/artifacts/{evil.sha256}/app.tar.gz"
    planted = replace(known, revision="0.9", sha256=evil.sha256, size=evil.size, key=key)
    record_revision(planted, two)
    (one,) = opened.places.keys() - {TWO}
    targets = read_targets(TARGETS)
    with pytest.raises(DeploymentError, match=f"none at {one}.*{planted.full_name}") as caught:
        earlier_deployment("shop", "0.9", targets, policy=POLICY)
    assert caught.value.kind is ErrorKind.PRECONDITION_FAILED
    _, sha256 = earlier_deployment("shop", planted.full_name, targets, policy=POLICY)
    assert sha256 == evil.sha256
    assert f"{one} has no record of it" in caplog.text


@pytest.mark.usefixtures("_accounts")
def test_an_artifact_of_another_size_is_not_read(tmp_path: Path) -> None:
    _, opened = roll_out(given(write(tmp_path, b"good"), revision="1"), 0)
    found = find_revision("shop", opened.places, "1")
    for place in opened.places.values():
        place.store.put_object(place.ref(place.key_of(found.revision.key)), b"e" * 1000)
    with pytest.raises(DeploymentError, match="it has 1000 bytes, expected 4"):
        find_artifact(found, opened.places)


@pytest.mark.usefixtures("_accounts")
def test_an_artifact_that_no_place_has_is_an_error_that_names_each(tmp_path: Path) -> None:
    _, opened = roll_out(given(write(tmp_path, b"first"), revision="1"), 0)
    one, two = opened.places.values()
    found = find_revision("shop", opened.places, "1")
    one.store.put_object(one.ref(one.key_of(found.revision.key)), b"evil!")
    two.store.delete_object(two.ref(two.key_of(found.revision.key)))
    with pytest.raises(DeploymentError, match="to: no place has the artifact") as caught:
        find_artifact(found, opened.places)
    assert caught.value.kind is ErrorKind.NOT_FOUND
    for uri in opened.places:
        assert uri in str(caught.value)
