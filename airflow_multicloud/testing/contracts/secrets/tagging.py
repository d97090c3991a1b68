"""Tags: written with a value, kept, and changed alone."""
# ruff: noqa: S101, PT017 - a test suite asserts, and some clouds keep tags by version

from __future__ import annotations

import uuid
from typing import ClassVar

import pytest

from airflow_multicloud.errors import ErrorKind, SecretsError
from airflow_multicloud.labels import Work, working_for
from airflow_multicloud.testing.contracts.secrets.rigs import SecretsRig
from airflow_multicloud.testing.secret_faults import SecretCall, SecretFault, SecretFaultKind


class TagContract:
    """The tags of ``write_secret``, and the port's ``tag_secret``."""

    needs: ClassVar[tuple[type, ...]] = ()

    def test_written_with_a_value(self, secrets_rig: SecretsRig) -> None:
        """Those of a new secret, and other ones with a new version."""
        tags = dict(secrets_rig.spec.tags)
        first = secrets_rig.write(tags=tags)
        assert secrets_rig.describe().tags == tags
        secrets_rig.write(value=b"second value", replaces=first.id, tags={"team": "web"})
        assert secrets_rig.describe().tags == {"team": "web"}

    def test_kept(self, secrets_rig: SecretsRig) -> None:
        """A new version without tags leaves them as they are, also those that others made."""
        first = secrets_rig.write(tags=dict(secrets_rig.spec.tags))
        tags = {"team": "web", "owner": "others"}
        secrets_rig.outside.tag(secrets_rig.cloud_name(secrets_rig.name()), tags)
        assert secrets_rig.describe().tags == tags
        secrets_rig.write(value=b"second value", replaces=first.id)
        assert secrets_rig.describe().tags == tags

    def test_taken_away(self, secrets_rig: SecretsRig) -> None:
        """None are asked for, none are there."""
        first = secrets_rig.write(tags=dict(secrets_rig.spec.tags))
        secrets_rig.write(value=b"second value", replaces=first.id, tags={})
        assert secrets_rig.describe().tags == {}

    def test_changed_alone(self, secrets_rig: SecretsRig) -> None:
        """All of them, without a new version."""
        first = secrets_rig.write(tags=dict(secrets_rig.spec.tags))
        for tags in ({"team": "web", "owner": "us"}, {"owner": "us"}, {"owner": "us"}, {}):
            secrets_rig.hook.tag_secret(secrets_rig.name(), tags, version=first.id)
            assert secrets_rig.describe().tags == tags
        assert [version.id for version in secrets_rig.versions()] == [first.id]
        assert secrets_rig.value() == b"first value"

    def test_another_version_is_current(self, secrets_rig: SecretsRig) -> None:
        """A cloud that keeps tags by version refuses; elsewhere they are the secret's."""
        first = secrets_rig.write()
        secrets_rig.write_outside(b"by another")
        before = secrets_rig.describe().tags
        try:
            secrets_rig.hook.tag_secret(secrets_rig.name(), {"team": "web"}, version=first.id)
        except SecretsError as err:
            assert err.kind is ErrorKind.PRECONDITION_FAILED
            assert secrets_rig.describe().tags == before
        else:
            assert secrets_rig.describe().tags == {"team": "web"}
        assert secrets_rig.value() == b"by another"

    def test_lost_answers(self, secrets_rig: SecretsRig) -> None:
        """The next try makes them what they should be."""
        first = secrets_rig.write(tags=dict(secrets_rig.spec.tags))
        lost = SecretFault(kind=SecretFaultKind.LOSE_ANSWER, call=SecretCall.TAG)
        secrets_rig.plant([lost])
        try:
            secrets_rig.hook.tag_secret(secrets_rig.name(), {"team": "web"}, version=first.id)
        except SecretsError as err:
            assert err.retryable
            secrets_rig.hook.tag_secret(secrets_rig.name(), {"team": "web"}, version=first.id)
        assert secrets_rig.describe().tags == {"team": "web"}

    def test_wrong_ones(self, secrets_rig: SecretsRig) -> None:
        """They are refused before anything is sent."""
        wrong = dict(secrets_rig.spec.wrong_tags)
        before = secrets_rig.asked()
        for use in (
            lambda: secrets_rig.write(tags=wrong),
            lambda: secrets_rig.hook.tag_secret(secrets_rig.name(), wrong, version="1" * 32),
            lambda: secrets_rig.hook.check_secret_tags(wrong),
        ):
            with pytest.raises(SecretsError, match="tags") as caught:
                use()
            assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
            assert caught.value.cloud == secrets_rig.spec.cloud
        secrets_rig.hook.check_secret_tags(dict(secrets_rig.spec.tags))
        assert secrets_rig.asked() == before

    def test_the_bill_names_the_dag(self, secrets_rig: SecretsRig) -> None:
        """A new secret has the labels of the DAG and the task; it outlasts runs."""
        tags = {"team": "web"}
        with working_for(Work(dag_id="Sync_All", task_id="sync", run_id="r1")):
            first = secrets_rig.write(tags=dict(secrets_rig.spec.tags))
            told = {key: value.lower() for key, value in secrets_rig.describe().tags.items()}
            assert told.items() >= {"airflow-dag": "sync_all", "airflow-task": "sync"}.items()
            assert told.items() >= secrets_rig.spec.tags.items()
            assert "airflow-run" not in told
        # Whoever changes the tags later did not make it.
        labels = {key: told[key] for key in ("airflow-dag", "airflow-task")}
        with working_for(Work(dag_id="another", task_id="one", run_id="r2")):
            second = secrets_rig.write(value=b"second value", replaces=first.id, tags=tags)
            secrets_rig.hook.tag_secret(secrets_rig.name(), tags, version=second.id)
        now = {key: value.lower() for key, value in secrets_rig.describe().tags.items()}
        assert now == {**tags, **labels}

    def test_labels_that_are_copied(self, secrets_rig: SecretsRig) -> None:
        """A secret's copy says of its own what the secret says."""
        tags = {"airflow-dag": "original", "team": "web"}
        with working_for(Work(dag_id="sync", task_id="copy", run_id="r1")):
            secrets_rig.write(tags=tags)
        assert secrets_rig.describe().tags == {**tags, "airflow-task": "copy"}

    def test_no_room_for_labels(self, secrets_rig: SecretsRig) -> None:
        """What was asked for comes first."""
        count = secrets_rig.hook.describe_secret_rules().tag_count
        tags = {f"tag{number}": "x" for number in range(count)}
        with working_for(Work(dag_id="sync", task_id="copy", run_id="r1")):
            secrets_rig.write(tags=tags, token=str(uuid.uuid4()))
        assert secrets_rig.describe().tags == tags
