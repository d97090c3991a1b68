"""The local Secrets Manager: what it refuses, and what the hook makes of it beyond the contract."""

from __future__ import annotations

import contextlib
import logging
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from airflow_multicloud import registry
from airflow_multicloud.errors import ErrorKind, SecretsError
from airflow_multicloud.ports.secrets import SecretRecovery, SecretsService, SecretState
from airflow_multicloud.testing.local_clouds.kit.admin import Admin
from airflow_multicloud.testing.local_clouds.kit.secret_seeds import plant
from airflow_multicloud.testing.secret_faults import (
    MEANWHILE_VALUE,
    SecretCall,
    SecretFault,
    SecretFaultKind,
)
from tests.contract.secrets_rigs.aws import CONN_ID, client_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_multicloud.testing.local_clouds import LocalServer


@pytest.fixture
def admin(local_secrets_manager: LocalServer) -> Iterator[Admin]:
    admin = Admin(local_secrets_manager.endpoint)
    admin.reset()
    yield admin
    admin.reset()


@pytest.fixture
def client(local_secrets_manager: LocalServer) -> Iterator[Any]:
    client = client_of(local_secrets_manager)
    yield client
    client.close()


@pytest.fixture
def hook(admin: Admin) -> Any:
    return registry.resolve(SecretsService, CONN_ID)


@pytest.fixture
def name() -> str:
    return f"s{uuid.uuid4().hex[:10]}"


def _token() -> str:
    return str(uuid.uuid4())


def _labels(client: Any, name: str) -> dict[str, list[str]]:
    labels: dict[str, list[str]] = client.describe_secret(SecretId=name)["VersionIdsToStages"]
    return {version: sorted(found) for version, found in labels.items()}


class TestHook:
    def test_labels_after_a_write(self, hook, client, name):
        """The label of its own is gone, and AWSPREVIOUS is where AWS puts it."""
        first = hook.write_secret(name, b"1", token=_token(), replaces=None)
        second = hook.write_secret(name, b"2", token=_token(), replaces=first.id)
        assert _labels(client, name) == {first.id: ["AWSPREVIOUS"], second.id: ["AWSCURRENT"]}
        assert second.labels == ("AWSCURRENT",)
        assert hook.read_secret(name, "AWSPREVIOUS").value == b"1"

    def test_the_token_is_the_versions_id(self, hook, name):
        token = _token()
        assert hook.write_secret(name, b"1", token=token, replaces=None).id == token

    def test_a_lost_race_leaves_no_label(self, hook, client, name, local_secrets_manager):
        first = hook.write_secret(name, b"1", token=_token(), replaces=None)
        token = _token()
        fault = SecretFault(kind=SecretFaultKind.MEANWHILE, after=1)
        plant(local_secrets_manager.endpoint, [fault])
        with pytest.raises(SecretsError, match=token) as caught:
            hook.write_secret(name, b"2", token=token, replaces=first.id)
        assert caught.value.kind is ErrorKind.PRECONDITION_FAILED
        labels = _labels(client, name)
        assert sorted(labels.values()) == [["AWSCURRENT"], ["AWSPREVIOUS"]]
        assert token not in labels
        assert hook.read_secret(name).value == MEANWHILE_VALUE
        # The retry of the task tells the same, until it is told to replace what is there.
        with pytest.raises(SecretsError, match="replaces") as caught:
            hook.write_secret(name, b"2", token=token, replaces=first.id)
        assert caught.value.kind is ErrorKind.PRECONDITION_FAILED
        (current,) = (version for version, found in labels.items() if "AWSCURRENT" in found)
        again = hook.write_secret(name, b"2", token=token, replaces=current)
        assert (again.id, again.is_current) == (token, True)
        assert _labels(client, name)[token] == ["AWSCURRENT"]

    def test_text_is_text_and_bytes_are_bytes(self, hook, client, name):
        """So that people can read in the console what they can read."""
        first = hook.write_secret(name, "Größe".encode(), token=_token(), replaces=None)
        assert client.get_secret_value(SecretId=name)["SecretString"] == "Größe"
        hook.write_secret(name, b"\xff\x00", token=_token(), replaces=first.id)
        assert client.get_secret_value(SecretId=name)["SecretBinary"] == b"\xff\x00"

    def test_removal_has_thirty_days(self, hook, name):
        first = hook.write_secret(name, b"1", token=_token(), replaces=None)
        removed = hook.remove_secret(name, version=first.id)
        assert removed.recoverable_until is not None
        assert (removed.recoverable_until - first.created_at).days in (29, 30)

    def test_somebody_writes_while_it_is_removed(self, hook, name, local_secrets_manager):
        """What was written is no part of what was to be removed: it is there again."""
        first = hook.write_secret(name, b"1", token=_token(), replaces=None)
        fault = SecretFault(kind=SecretFaultKind.MEANWHILE, call=SecretCall.REMOVE)
        plant(local_secrets_manager.endpoint, [fault])
        with pytest.raises(SecretsError, match="version") as caught:
            hook.remove_secret(name, version=first.id)
        assert caught.value.kind is ErrorKind.PRECONDITION_FAILED
        assert hook.describe_secret(name).state is SecretState.ENABLED
        assert hook.read_secret(name).value == MEANWHILE_VALUE

    def test_a_replica_is_not_removed(self, hook, admin, name):
        """AWS would delete it at once."""
        first = hook.write_secret(name, b"1", token=_token(), replaces=None)
        admin.seed("secrets", [{"name": name, "primary_region": "eu-west-1"}])
        with pytest.raises(SecretsError, match="replica") as caught:
            hook.remove_secret(name, version=first.id)
        assert caught.value.kind is ErrorKind.PRECONDITION_FAILED
        assert hook.read_secret(name).value == b"1"

    def test_tags_of_aws_are_left_alone(self, hook, admin, client, name):
        first = hook.write_secret(name, b"1", token=_token(), replaces=None, tags={"a": "1"})
        admin.seed("secrets", [{"name": name, "tags": {"aws:cloudformation:stack-id": "x"}}])
        assert hook.describe_secret(name).tags == {"a": "1"}
        hook.tag_secret(name, {}, version=first.id)
        (left,) = client.describe_secret(SecretId=name)["Tags"]
        assert left["Key"] == "aws:cloudformation:stack-id"
        with pytest.raises(SecretsError, match="aws:"):
            hook.tag_secret(name, {"AWS:x": "1"}, version=first.id)

    def test_a_secret_without_a_value(self, hook, client, admin, name):
        """Another tool may have made it; it has no current version, and is written by none."""
        answer = {"ARN": f"arn:aws:secretsmanager:us-east-1:1:secret:{name}-a", "Name": name}
        admin.script("/", [{"status": 200, "body": answer}])
        found = hook.describe_secret(name)
        assert (found.current, found.created_at, dict(found.tags)) == (None, None, {})

    @pytest.mark.parametrize(
        ("code", "kind"),
        [
            ("DecryptionFailure", ErrorKind.PERMISSION_DENIED),
            ("AccessDeniedException", ErrorKind.PERMISSION_DENIED),
            ("InternalServiceError", ErrorKind.UNAVAILABLE),
            ("LimitExceededException", ErrorKind.QUOTA),
            ("InvalidNextTokenException", ErrorKind.SOURCE_CHANGED),
            ("PreconditionNotMetException", ErrorKind.PRECONDITION_FAILED),
        ],
    )
    def test_codes(self, hook, admin, name, code, kind):
        refusal = {"status": 400, "body": {"__type": code, "message": "no"}}
        admin.script("/", [refusal] * 6)
        with pytest.raises(SecretsError, match=f"reading the secret {name}") as caught:
            hook.read_secret(name)
        assert (caught.value.kind, caught.value.code) == (kind, code)

    def test_an_answer_that_is_none(self, hook, admin, name):
        admin.script("/", [{"status": 200, "body": {"Name": name, "VersionId": "1" * 32}}])
        with pytest.raises(SecretsError, match="can't be read") as caught:
            hook.read_secret(name)
        assert caught.value.kind is ErrorKind.INTEGRITY

    def test_debug_logs_show_no_value(self, hook, name, caplog):
        """Also where a value has quotes and braces in it."""
        value = 'a"b\'c}canary-4711{"x": "canary-4712"}'
        with caplog.at_level(logging.DEBUG):
            hook.write_secret(name, value.encode(), token=_token(), replaces=None)
            hook.read_secret(name)
        assert "Making request for OperationModel(name=GetSecretValue)" in caplog.text
        assert "canary-" not in caplog.text

    def test_recovery_of_one_that_is_not_removed_asks_for_nothing(self, hook, admin, name):
        assert isinstance(hook, SecretRecovery)
        hook.write_secret(name, b"1", token=_token(), replaces=None)
        before = len(admin.requests())
        hook.recover_secret(name)
        asked = [one["action"] for one in admin.requests()[before:]]
        assert "secretsmanager:DescribeSecret" in asked
        assert "secretsmanager:RestoreSecret" not in asked


class TestServer:
    """It refuses as Secrets Manager does, so that the hook is held to it."""

    def _refused(self, code: str, call: Any, **arguments: Any) -> str:
        with pytest.raises(ClientError) as caught:
            call(**arguments)
        error = caught.value.response["Error"]
        assert error["Code"] == code
        return str(error["Message"])

    @pytest.fixture
    def versions(self, client, name) -> tuple[str, str]:
        first = client.create_secret(Name=name, SecretString="1")["VersionId"]
        return first, client.put_secret_value(SecretId=name, SecretString="2")["VersionId"]

    def test_moving_a_label_from_another_version(self, client, name, versions):
        first, second = versions
        move = {"SecretId": name, "VersionStage": "AWSCURRENT", "MoveToVersionId": first}
        code, update = "InvalidParameterException", client.update_secret_version_stage
        assert second in self._refused(code, update, **move)
        self._refused(code, update, **move, RemoveFromVersionId=first)
        update(**move, RemoveFromVersionId=second)
        assert _labels(client, name) == {first: ["AWSCURRENT"], second: ["AWSPREVIOUS"]}

    def test_taking_a_label_that_is_not_there(self, client, name, versions):
        for label in ("mine", "AWSCURRENT"):
            self._refused(
                "InvalidParameterException",
                client.update_secret_version_stage,
                SecretId=name,
                VersionStage=label,
                RemoveFromVersionId=versions[0],
            )

    def test_a_token_with_another_value(self, client, name, versions):
        put = {"SecretId": name, "ClientRequestToken": versions[0]}
        self._refused("ResourceExistsException", client.put_secret_value, **put, SecretString="3")
        client.put_secret_value(**put, SecretString="1")
        assert _labels(client, name)[versions[1]] == ["AWSCURRENT"]

    def test_a_version_without_labels_is_listed_when_asked_for(self, client, name, versions):
        client.put_secret_value(SecretId=name, SecretString="3")
        few = client.list_secret_version_ids(SecretId=name)["Versions"]
        every = client.list_secret_version_ids(SecretId=name, IncludeDeprecated=True)["Versions"]
        assert (len(few), len(every)) == (2, 3)

    def test_what_is_marked_for_deletion(self, client, name, versions):
        client.delete_secret(SecretId=name)
        code = "InvalidRequestException"
        self._refused(code, client.get_secret_value, SecretId=name)
        self._refused(code, client.put_secret_value, SecretId=name, SecretString="3")
        self._refused(code, client.create_secret, Name=name, SecretString="3")
        self._refused(code, client.delete_secret, SecretId=name)
        client.restore_secret(SecretId=name)
        self._refused(code, client.restore_secret, SecretId=name)

    def test_twenty_labels(self, client, name, versions):
        labels = [f"label-{number}" for number in range(18)]
        put = {"SecretId": name, "SecretString": "3"}
        client.put_secret_value(**put, VersionStages=labels)
        self._refused(
            "LimitExceededException", client.put_secret_value, **put, VersionStages=["one-more"]
        )

    @pytest.mark.parametrize("days", [6, 31])
    def test_windows(self, client, name, versions, days):
        self._refused(
            "InvalidParameterException",
            client.delete_secret,
            SecretId=name,
            RecoveryWindowInDays=days,
        )

    def test_names_values_and_tags(self, client, name):
        create = client.create_secret
        self._refused("ValidationException", create, Name=f"{name} x", SecretString="1")
        self._refused("InvalidParameterException", create, Name=name)
        both = {"SecretString": "1", "SecretBinary": b"1"}
        self._refused("InvalidParameterException", create, Name=name, **both)
        for tags in (
            [{"Key": "aws:x", "Value": "1"}],
            [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}],
            [{"Key": "a", "Value": "no, comma"}],
            [{"Key": f"t{number}", "Value": "1"} for number in range(51)],
        ):
            self._refused(
                "InvalidParameterException", create, Name=name, SecretString="1", Tags=tags
            )
        self._refused("ResourceNotFoundException", client.describe_secret, SecretId=name)

    def test_what_the_model_does_not_know(self, client, local_secrets_manager):
        """Checked by botocore's model, also when a client does not check by itself."""
        careless = client_of(local_secrets_manager, parameter_validation=False)
        with contextlib.closing(careless):
            self._refused("ValidationException", careless.get_secret_value, SecretId="")
        self._refused("UnknownOperationException", client.get_random_password)

    def test_a_page_token_of_nobody(self, client):
        self._refused("InvalidNextTokenException", client.list_secrets, NextToken="mine")
