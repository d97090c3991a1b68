"""What only Google Cloud has of secrets: annotations, aliases, and a removal made of states."""

from __future__ import annotations

import json
import os
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud import api, registry
from airflow_multicloud.errors import ErrorKind, OverwrittenError, SecretsError
from airflow_multicloud.ports.secrets import SecretsService, SecretState
from airflow_multicloud.testing.local_clouds.gcp import PROJECT
from airflow_multicloud.testing.local_clouds.gcp.secrets.rules import NUMBER
from airflow_multicloud.testing.local_clouds.kit.admin import Admin
from airflow_multicloud.testing.local_clouds.kit.secret_seeds import plant
from airflow_multicloud.testing.secret_faults import SecretCall, SecretFault, SecretFaultKind

if TYPE_CHECKING:
    from airflow_multicloud.clouds.gcp.secrets import GCPSecretsHook
    from airflow_multicloud.ports.secrets import SecretVersion
    from airflow_multicloud.testing.local_clouds import LocalServer
    from tests.integration.secrets_gcp.conftest import Write


def _stop(server: LocalServer, call: SecretCall, after: int) -> None:
    refusal = SecretFault(
        kind=SecretFaultKind.REFUSE, call=call, error=ErrorKind.PERMISSION_DENIED, after=after
    )
    plant(server.endpoint, [refusal])


def _note(client: Any, path: str, annotations: dict[str, str]) -> None:
    secret = {"name": path, "annotations": annotations}
    client.update_secret(request={"secret": secret, "update_mask": {"paths": ["annotations"]}})


#: Labels, annotations, and what can be neither.
TAGS = {
    "team": "data",
    "Owner": "Ms. Größe <g@example.org>",
    "cost/centre": "47 11",
    "multicloud-write": "of somebody",
    "": "an empty name",
    "long": "x" * 500,
    "empty": "",
}


class TestStore:
    def test_is_the_project_as_google_has_it(self, hook: GCPSecretsHook) -> None:
        """Whatever the connection calls it."""
        store = hook.describe_store()
        assert store.id == f"projects/{NUMBER}"
        assert store.also == {NUMBER, PROJECT, f"projects/{PROJECT}"}

    @pytest.mark.parametrize(("project", "is_it"), [(NUMBER, True), ("another", False)])
    def test_a_connection_that_names_it_otherwise(
        self, hook: GCPSecretsHook, monkeypatch: pytest.MonkeyPatch, project: str, *, is_it: bool
    ) -> None:
        told = json.loads(os.environ["AIRFLOW_CONN_GCP_SECRETS_LOCAL"])
        told["extra"] = {**told["extra"], "project": project}
        monkeypatch.setenv("AIRFLOW_CONN_OTHERWISE", json.dumps(told))
        otherwise = type(hook)("otherwise")
        if is_it:
            assert otherwise.describe_store() == hook.describe_store()
        else:
            with pytest.raises(SecretsError, match="projects/another") as caught:
                otherwise.describe_store()
            assert caught.value.kind is ErrorKind.PERMISSION_DENIED

    @pytest.mark.parametrize(
        "body",
        [{}, {"name": "projects/local", "projectId": "local"}, {"name": f"projects/{NUMBER}"}],
    )
    def test_an_answer_that_does_not_say(
        self, hook: GCPSecretsHook, local_secret_manager: LocalServer, body: dict[str, str]
    ) -> None:
        Admin(local_secret_manager.endpoint).script("/v3/projects", [{"body": body}])
        with pytest.raises(SecretsError, match="Resource Manager") as caught:
            hook.describe_store()
        assert caught.value.kind is ErrorKind.INTEGRITY

    def test_official_verbs_ask_the_same_place(
        self, hook: GCPSecretsHook, name: str, write: Write
    ) -> None:
        write(b"value")
        told = hook.access_secret(secret_id=name, project_id=PROJECT)
        assert told.payload.data == b"value"


class TestTags:
    def test_any_are_kept(self, hook: GCPSecretsHook, name: str, write: Write) -> None:
        write(tags=TAGS)
        assert hook.describe_secret(name).tags == TAGS

    def test_what_fits_is_a_label(self, client: Any, path: str, write: Write) -> None:
        write(tags=TAGS)
        told = client.get_secret(name=path)
        assert dict(told.labels) == {"team": "data", "empty": ""}
        assert told.annotations["Owner"] == TAGS["Owner"]
        assert json.loads(told.annotations["multicloud-tags"]).keys() == {
            *("cost/centre", "multicloud-write", "")
        }

    def test_notes_are_no_tags_and_stay(
        self, hook: GCPSecretsHook, name: str, client: Any, path: str, write: Write
    ) -> None:
        written = write(tags={"a": "b"})
        before = client.get_secret(name=path).annotations["multicloud-write"]
        hook.tag_secret(name, {"c": "D"}, version=written.id)
        assert hook.describe_secret(name).tags == {"c": "D"}
        assert client.get_secret(name=path).annotations["multicloud-write"] == before

    def test_of_other_tools_are_tags(
        self, hook: GCPSecretsHook, name: str, client: Any, path: str, write: Write
    ) -> None:
        write()
        _note(client, path, {"tool": "theirs", "multicloud-tags": "no JSON"})
        assert hook.describe_secret(name).tags == {"tool": "theirs", "multicloud-tags": "no JSON"}

    def test_too_many_bytes(self, write: Write, hook: GCPSecretsHook, name: str) -> None:
        with pytest.raises(SecretsError, match=r"tags: \d+ bytes") as caught:
            write(tags={"Long": "X" * 16_000})
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
        with pytest.raises(SecretsError, match="not found"):
            hook.describe_secret(name)

    @pytest.mark.parametrize("preserve", [True, False])
    def test_of_the_destination_that_leave_no_room(
        self,
        local_secrets_manager: LocalServer,
        name: str,
        client: Any,
        path: str,
        *,
        preserve: bool,
    ) -> None:
        """No race: the finding says whose they are."""
        source = registry.resolve(SecretsService, "aws_secrets_local")
        first = source.write_secret(name, b"first", token=str(uuid.uuid4()), replaces=None)
        api.sync_secrets("aws_secrets_local", ["gcp_secrets_local"], names=[name])
        source.write_secret(name, b"second", token=str(uuid.uuid4()), replaces=first.id)
        noted = dict(client.get_secret(name=path).annotations)
        _note(client, path, {**noted, "other-tool": "y" * 15_500})
        with pytest.raises(SecretsError) as caught:
            api.sync_secrets(
                *("aws_secrets_local", ["gcp_secrets_local"]), names=[name], preserve_tags=preserve
            )
        assert "'other-tool'" in str(caught.value)


class TestWriting:
    def test_a_secret_that_was_only_begun_can_be_written(
        self, hook: GCPSecretsHook, name: str, write: Write, local_secret_manager: LocalServer
    ) -> None:
        """The process ended between the secret and its first version."""
        _stop(local_secret_manager, SecretCall.WRITE, after=1)
        with pytest.raises(SecretsError):
            write(b"first")
        assert hook.describe_secret(name).current is None
        assert write(b"another", token=str(uuid.uuid4())).id == "1"
        assert hook.read_secret(name).value == b"another"

    def test_one_that_somebody_else_made_without_a_version_is_theirs(
        self, client: Any, name: str, write: Write
    ) -> None:
        client.create_secret(
            request={
                "parent": f"projects/{PROJECT}",
                "secret_id": name,
                "secret": {"replication": {"automatic": {}}},
            }
        )
        with pytest.raises(SecretsError, match="is there") as caught:
            write()
        assert caught.value.kind is ErrorKind.ALREADY_EXISTS

    def test_what_is_current_after_a_race_is_told(
        self, name: str, write: Write, local_secret_manager: LocalServer
    ) -> None:
        first = write(b"first")
        token = str(uuid.uuid4())
        plant(local_secret_manager.endpoint, [SecretFault(kind=SecretFaultKind.MEANWHILE)])
        for _ in range(2):  # And again, when the task is tried again.
            with pytest.raises(SecretsError, match=r"version 2.* was written by another") as caught:
                write(b"second", replaces=first.id, token=token)
            assert isinstance(caught.value, OverwrittenError)
            assert (caught.value.written, caught.value.others) == ("3", ("2",))
            assert "version 3 is the current one" in str(caught.value)

    @pytest.mark.parametrize("disabled", [False, True])
    def test_a_version_that_is_not_told_of_yet_is_not_written_over(
        self,
        hook: GCPSecretsHook,
        name: str,
        client: Any,
        path: str,
        write: Write,
        local_secret_manager: LocalServer,
        *,
        disabled: bool,
    ) -> None:
        """Lists and ``latest`` may be some minutes old; a version's number is not."""
        first = write(b"first")
        client.add_secret_version(request={"parent": path, "payload": {"data": b"theirs"}})
        if disabled:
            client.disable_secret_version(name=f"{path}/versions/2")
        stale = SecretFault(kind=SecretFaultKind.STALE, call=SecretCall.DESCRIBE, times=50)
        plant(local_secret_manager.endpoint, [stale])
        assert hook.describe_secret(name).current == first
        with pytest.raises(SecretsError, match="version 2 is the current one") as caught:
            write(b"second", replaces=first.id)
        assert caught.value.kind is ErrorKind.PRECONDITION_FAILED
        plant(local_secret_manager.endpoint, ())
        assert [one.id for one in hook.list_secret_versions(name)] == ["2", "1"]

    def test_of_two_that_go_on_with_one_write_one_does(
        self, hook: GCPSecretsHook, name: str, write: Write, local_secret_manager: LocalServer
    ) -> None:
        """Both find the note of a third, which has ended, before either goes on."""
        from airflow_multicloud.clouds.gcp.secrets import GCPSecretsHook as Hook

        first, token = write(b"first"), str(uuid.uuid4())
        _stop(local_secret_manager, SecretCall.WRITE, after=0)
        with pytest.raises(SecretsError):
            write(b"second", replaces=first.id, token=token)
        plant(local_secret_manager.endpoint, ())
        between: list[SecretVersion] = []

        class Slower(Hook):
            def _newest_for_certain(self, path: str) -> Any:
                found = super()._newest_for_certain(path)
                if not between:
                    between.append(write(b"second", replaces=first.id, token=token))
                return found

        slower = Slower("gcp_secrets_local")
        written = slower.write_secret(name, b"second", token=token, replaces=first.id)
        assert [written.id] == [one.id for one in between] == ["2"]
        assert [one.id for one in hook.list_secret_versions(name)] == ["2", "1"]

    def test_tags_of_a_write_that_ended_before_them_come_with_its_repetition(
        self, hook: GCPSecretsHook, name: str, write: Write, local_secret_manager: LocalServer
    ) -> None:
        first, token = write(b"first", tags={"a": "1"}), str(uuid.uuid4())
        _stop(local_secret_manager, SecretCall.TAG, after=1)
        with pytest.raises(SecretsError):
            write(b"second", replaces=first.id, token=token, tags={"a": "2"})
        assert hook.read_secret(name).value == b"second"
        assert hook.describe_secret(name).tags == {"a": "1"}
        assert write(b"second", replaces=first.id, token=token, tags={"a": "2"}).id == "2"
        assert hook.describe_secret(name).tags == {"a": "2"}

    def test_a_disabled_version_is_not_taken_for_the_write(
        self, hook: GCPSecretsHook, name: str, write: Write
    ) -> None:
        token = str(uuid.uuid4())
        hook.disable_secret_version(name, write(b"first", token=token).id)
        with pytest.raises(SecretsError, match="can't be compared") as caught:
            write(b"first", token=token)
        assert caught.value.kind is ErrorKind.PRECONDITION_FAILED

    def test_a_note_that_nobody_can_read_is_none(
        self, hook: GCPSecretsHook, name: str, client: Any, path: str, write: Write
    ) -> None:
        first = write(b"first")
        noted = {
            "multicloud-write": "[",
            "multicloud-removed": '{"newest": 1, "enabled": "1-9999999999999", "done": null}',
        }
        _note(client, path, noted)
        assert hook.describe_secret(name).state is SecretState.ENABLED
        assert write(b"second", replaces=first.id).id == "2"

    @pytest.mark.parametrize(
        ("key", "text"),
        [
            ("multicloud-removed", '{"newest": 1e999, "enabled": "1", "done": true}'),
            ("multicloud-write", '{"token": "x", "after": 1e999}'),
            ("multicloud-write", '{"token": "\\ud800", "after": 0, "attempt": ""}'),
        ],
    )
    def test_a_note_on_one_secret_costs_no_other(
        self,
        local_secrets_manager: LocalServer,
        name: str,
        client: Any,
        path: str,
        write: Write,
        hook: GCPSecretsHook,
        key: str,
        text: str,
    ) -> None:
        """Whoever can write annotations of one secret must not stop the others' runs."""
        source = registry.resolve(SecretsService, "aws_secrets_local")
        names = [name, f"{name}-other"]
        for one in names:
            source.write_secret(one, b"value", token=str(uuid.uuid4()), replaces=None)
        api.sync_secrets("aws_secrets_local", ["gcp_secrets_local"], names=names)
        noted = dict(client.get_secret(name=path).annotations)
        _note(client, path, {**noted, key: text})
        assert sorted(one.name for one in hook.find_secrets(name)) == names
        assert hook.read_secret(name).value == b"value"
        report = api.sync_secrets("aws_secrets_local", ["gcp_secrets_local"], names=names)
        (to,) = report.destinations
        assert (to.unchanged, to.failed) == (2, 0)


class TestRemoving:
    @pytest.mark.parametrize("after", [0, 1])
    def test_half_a_removal_is_none(
        self,
        hook: GCPSecretsHook,
        name: str,
        write: Write,
        local_secret_manager: LocalServer,
        after: int,
    ) -> None:
        """The process ended while versions were disabled; the next call ends it."""
        first = write(b"first")
        second = write(b"second", replaces=first.id)
        _stop(local_secret_manager, SecretCall.REMOVE, after=after)
        with pytest.raises(SecretsError):
            hook.remove_secret(name, version=second.id)
        assert hook.describe_secret(name).state is SecretState.ENABLED
        assert hook.read_secret(name).value == b"second"
        assert hook.remove_secret(name, version=second.id).state is SecretState.REMOVED
        hook.recover_secret(name)
        assert hook.read_secret(name, first.id).value == b"first"

    def test_half_a_removal_of_a_disabled_secret(
        self, hook: GCPSecretsHook, name: str, write: Write, local_secret_manager: LocalServer
    ) -> None:
        """That its newest version is disabled does not make it a whole one."""
        first = write(b"first")
        second = write(b"second", replaces=first.id)
        hook.disable_secret_version(name, second.id)
        _stop(local_secret_manager, SecretCall.REMOVE, after=0)
        with pytest.raises(SecretsError):
            hook.remove_secret(name, version=second.id)
        assert hook.describe_secret(name).state is SecretState.ENABLED
        assert hook.remove_secret(name, version=second.id).state is SecretState.REMOVED
        recovered = hook.recover_secret(name)
        assert recovered.current is not None
        assert recovered.current.state is SecretState.DISABLED
        assert hook.read_secret(name, first.id).value == b"first"

    def test_half_a_recovery_is_taken_up(
        self, hook: GCPSecretsHook, name: str, write: Write, local_secret_manager: LocalServer
    ) -> None:
        first = write(b"first")
        second = write(b"second", replaces=first.id)
        hook.remove_secret(name, version=second.id)
        _stop(local_secret_manager, SecretCall.REMOVE, after=1)
        with pytest.raises(SecretsError):
            hook.recover_secret(name)
        assert hook.recover_secret(name).state is SecretState.ENABLED
        assert hook.read_secret(name, first.id).value == b"first"

    def test_a_version_that_somebody_adds_ends_it(
        self, hook: GCPSecretsHook, name: str, client: Any, path: str, write: Write
    ) -> None:
        hook.remove_secret(name, version=write(b"first").id)
        client.add_secret_version(request={"parent": path, "payload": {"data": b"theirs"}})
        assert hook.describe_secret(name).state is SecretState.ENABLED
        assert hook.read_secret(name).value == b"theirs"
        assert [one.name for one in hook.find_secrets(name)] == [name]
        assert hook.recover_secret(name).current is not None  # Nothing of it is enabled again.
        with pytest.raises(SecretsError, match="DISABLED"):
            hook.read_secret(name, "1")

    def test_one_that_was_recovered_elsewhere_and_is_disabled_again_was_not_removed(
        self,
        local_secrets_manager: LocalServer,
        hook: GCPSecretsHook,
        name: str,
        client: Any,
        path: str,
        write: Write,
    ) -> None:
        """In the console, say, weeks later: copies of it must stay."""
        first = write(b"first")
        second = write(b"second", replaces=first.id)
        copies = registry.resolve(SecretsService, "aws_secrets_local")
        to = ["aws_secrets_local"]
        api.sync_secrets("gcp_secrets_local", to, prefix=name)
        other = f"{name}-other"
        hook.write_secret(other, b"other", token=str(uuid.uuid4()), replaces=None)
        hook.remove_secret(name, version=second.id)
        client.enable_secret_version(name=f"{path}/versions/2")
        client.disable_secret_version(name=f"{path}/versions/2")
        assert hook.describe_secret(name).state is SecretState.ENABLED
        assert sorted(one.name for one in hook.find_secrets(name)) == [name, other]
        report = api.sync_secrets("gcp_secrets_local", to, prefix=name, deletion_policy="remove")
        assert [one.removed for one in report.destinations] == [0]
        assert copies.read_secret(name).value == b"second"
        # The old note enables nothing, and the first version stays disabled by the next removal.
        assert hook.recover_secret(name).state is SecretState.ENABLED
        assert "multicloud-removed" not in client.get_secret(name=path).annotations
        with pytest.raises(SecretsError, match="DISABLED"):
            hook.read_secret(name, first.id)

    def test_the_next_removal_knows_only_what_was_enabled_then(
        self, hook: GCPSecretsHook, name: str, client: Any, path: str, write: Write
    ) -> None:
        first = write(b"first")
        second = write(b"second", replaces=first.id)
        hook.remove_secret(name, version=second.id)
        client.enable_secret_version(name=f"{path}/versions/2")
        assert hook.remove_secret(name, version=second.id).state is SecretState.REMOVED
        assert hook.recover_secret(name).state is SecretState.ENABLED
        assert hook.read_secret(name).value == b"second"
        with pytest.raises(SecretsError, match="DISABLED"):
            hook.read_secret(name, first.id)

    def test_a_write_takes_the_note_of_a_removal_away_that_is_over(
        self, hook: GCPSecretsHook, name: str, client: Any, path: str, write: Write
    ) -> None:
        first = write(b"first")
        hook.remove_secret(name, version=first.id)
        client.enable_secret_version(name=f"{path}/versions/1")
        write(b"second", replaces=first.id)
        assert "multicloud-removed" not in client.get_secret(name=path).annotations

    def test_versions_of_a_removed_one_stay_as_they_are(
        self, hook: GCPSecretsHook, name: str, write: Write
    ) -> None:
        hook.remove_secret(name, version=write(b"first").id)
        with pytest.raises(SecretsError, match="recover it first") as caught:
            hook.enable_secret_version(name, "1")
        assert caught.value.kind is ErrorKind.PRECONDITION_FAILED


class TestVersions:
    @pytest.mark.parametrize("version", ["", "1/2", "..", "a" * 64, "1e3", "९"])
    def test_what_can_be_none_is_not_asked_for(
        self, hook: GCPSecretsHook, name: str, write: Write, version: str
    ) -> None:
        write()
        with pytest.raises(SecretsError, match="version") as caught:
            hook.read_secret(name, version)
        assert caught.value.kind is ErrorKind.NOT_FOUND

    def test_latest_is_a_label_of_googles(
        self, hook: GCPSecretsHook, name: str, write: Write
    ) -> None:
        second = write(b"second", replaces=write(b"first").id)
        told = hook.read_secret(name, "latest")
        assert (told.value, told.version.id, told.version.is_current) == (
            b"second",
            second.id,
            True,
        )
