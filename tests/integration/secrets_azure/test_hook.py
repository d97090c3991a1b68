"""What only Key Vault has of secrets: seconds, content types, soft delete and its challenge."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.clouds.azure.secrets import AzureSecretsHook, removing
from airflow_multicloud.clouds.azure.secrets import client as clients
from airflow_multicloud.errors import CredentialsError, ErrorKind, SecretsError
from airflow_multicloud.ports.secrets import SecretState
from airflow_multicloud.testing.local_clouds.kit.secret_seeds import plant
from airflow_multicloud.testing.secret_faults import SecretFault, SecretFaultKind

if TYPE_CHECKING:
    from airflow_multicloud.testing.local_clouds import LocalServer
    from tests.integration.secrets_azure.conftest import SetUp, Write


class TestConnection:
    @pytest.mark.parametrize(
        ("url", "told"),
        [
            (None, "set key_vault_url"),
            ("http://v.vault.azure.net", "expected https"),
            (7, "expected a text"),
            ("https://v.vault.azure.net/secrets/x", "and no more"),
            ("https://v.vault.azure.net?x=y", "and no more"),
            ("https://user:pass@v.vault.azure.net", "a user or password given"),
        ],
    )
    def test_names_a_vault(
        self,
        local_key_vault: LocalServer,
        monkeypatch: pytest.MonkeyPatch,
        url: object,
        told: str,
    ) -> None:
        connection: Any = local_key_vault.spec.connections["azure_secrets_local"]
        extra = {**connection["extra"], "key_vault_url": url}
        monkeypatch.setenv("AIRFLOW_CONN_ODD_VAULT", json.dumps({**connection, "extra": extra}))
        with pytest.raises(CredentialsError, match=told) as caught:
            AzureSecretsHook("odd_vault")
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
        assert "pass" not in str(caught.value).replace("password", "")

    def test_a_challenge_of_another_domain_gets_no_token(
        self, local_key_vault: LocalServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Only an address, which is in no domain, is asked without this check."""
        monkeypatch.setattr(clients, "_is_loopback", lambda _url: False)
        connection: Any = local_key_vault.spec.connections["azure_secrets_local"]
        monkeypatch.setenv("AIRFLOW_CONN_STRICT_VAULT", json.dumps(connection))
        with pytest.raises(CredentialsError, match="no Key Vault's") as caught:
            AzureSecretsHook("strict_vault").describe_store()
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT

    @pytest.mark.parametrize(
        ("url", "expected"),
        [
            ("https://127.0.0.1:1", True),
            ("https://[::1]:1", True),
            ("https://10.0.0.1", False),
            ("https://localhost", False),
            ("https://127.0.0.1.example.org", False),
            ("https://v.vault.azure.net", False),
        ],
    )
    def test_what_is_asked_without_it(self, url: str, *, expected: bool) -> None:
        assert clients._is_loopback(url) is expected


class TestValues:
    def test_bytes_are_told_to_others_as_what_they_are(
        self, client: Any, name: str, write: Write
    ) -> None:
        write(b"\xff\x00")
        told = client.get_secret(name)
        assert (told.value, told.properties.content_type) == (
            "/wA=",
            "application/octet-stream; base64",
        )

    def test_what_only_says_that_it_is_base64(
        self, hook: AzureSecretsHook, client: Any, name: str
    ) -> None:
        client.set_secret(name, "no base64!", content_type="application/octet-stream; base64")
        with pytest.raises(SecretsError, match="content type") as caught:
            hook.read_secret(name)
        assert caught.value.kind is ErrorKind.INTEGRITY
        assert "no base64!" not in str(caught.value)

    def test_a_content_type_is_kept_with_texts(self, client: Any, name: str, write: Write) -> None:
        theirs = client.set_secret(name, "{}", content_type="application/json").properties
        second = write(b"[]", replaces=theirs.version)
        assert client.get_secret(name).properties.content_type == "application/json"
        third = write(b"\xff", replaces=second.id)
        write(b"text", replaces=third.id)
        assert client.get_secret(name).properties.content_type is None

    def test_expired_and_not_yet_valid_ones_are_read(
        self, hook: AzureSecretsHook, client: Any, name: str
    ) -> None:
        """As a vault gives them: these times are for who uses a value."""
        now = datetime.now(UTC)
        client.set_secret(
            name, "old", not_before=now + timedelta(days=1), expires_on=now - timedelta(days=1)
        )
        assert hook.read_secret(name).value == b"old"
        assert hook.read_secret(name).version.state is SecretState.ENABLED


class TestSeconds:
    def test_versions_of_one_second_are_told_apart_by_what_they_replaced(
        self, hook: AzureSecretsHook, name: str, write: Write, set_up: SetUp
    ) -> None:
        set_up(same_second=True)
        ids: list[str] = []
        for number in range(6):
            ids.append(write(b"%d" % number, replaces=ids[-1] if ids else None).id)
        listed = list(hook.list_secret_versions(name))
        assert len({version.created_at for version in listed}) == 1
        assert [version.id for version in listed] == ids[::-1]
        assert hook.describe_secret(name).current == listed[0]

    def test_of_others_the_one_that_is_read_is_current(
        self, hook: AzureSecretsHook, client: Any, name: str, set_up: SetUp
    ) -> None:
        set_up(same_second=True)
        for number in range(6):
            last = client.set_secret(name, str(number)).properties.version
        current = hook.describe_secret(name).current
        assert current is not None
        assert current.id == last

    def test_a_conflict_is_told_again(
        self, name: str, write: Write, local_key_vault: LocalServer
    ) -> None:
        first = write(b"first")
        token = str(uuid.uuid4())
        plant(local_key_vault.endpoint, [SecretFault(kind=SecretFaultKind.MEANWHILE)])
        for _ in range(2):
            with pytest.raises(SecretsError, match="was written by another") as caught:
                write(b"second", replaces=first.id, token=token)
            assert caught.value.kind is ErrorKind.PRECONDITION_FAILED

    def test_a_disabled_version_is_not_taken_for_the_write(
        self, hook: AzureSecretsHook, name: str, write: Write
    ) -> None:
        token = str(uuid.uuid4())
        hook.disable_secret_version(name, write(b"first", token=token).id)
        with pytest.raises(SecretsError, match="comparing") as caught:
            write(b"first", token=token)
        assert caught.value.kind is ErrorKind.PRECONDITION_FAILED


class TestSoftDelete:
    def test_a_vault_that_keeps_nothing_is_refused(
        self, hook: AzureSecretsHook, name: str, write: Write, set_up: SetUp
    ) -> None:
        set_up(recovery_level="Purgeable")
        with pytest.raises(SecretsError, match="soft delete") as caught:
            hook.remove_secret(name, version=write().id)
        assert caught.value.kind is ErrorKind.PRECONDITION_FAILED
        assert hook.read_secret(name).value == b"value"

    def test_a_vault_that_takes_its_time(
        self,
        hook: AzureSecretsHook,
        name: str,
        write: Write,
        set_up: SetUp,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(removing, "_INTERVAL_S", 0.0)
        written = write()
        set_up(slow=3)
        assert hook.remove_secret(name, version=written.id).state is SecretState.REMOVED
        assert hook.recover_secret(name).state is SecretState.ENABLED
        assert hook.read_secret(name).value == b"value"

    def test_one_that_does_not_end(
        self,
        hook: AzureSecretsHook,
        name: str,
        write: Write,
        set_up: SetUp,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(removing, "_LONGEST_S", 0.0)
        written = write()
        hook.remove_secret(name, version=written.id)
        set_up(slow=9)
        with pytest.raises(SecretsError, match="not finished") as caught:
            hook.recover_secret(name)
        assert caught.value.kind is ErrorKind.BUSY

    def test_a_name_between_the_two_is_busy(
        self, hook: AzureSecretsHook, client: Any, name: str, write: Write, set_up: SetUp
    ) -> None:
        write()
        set_up(slow=9)
        client.begin_delete_secret(name)
        with pytest.raises(SecretsError) as caught:
            write(b"second")
        assert caught.value.kind is ErrorKind.BUSY
        assert caught.value.code == "ObjectIsBeingDeleted"
