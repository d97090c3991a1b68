"""Secrets of three local clouds made equal: names, tags and removals by the rules of each."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud import api, registry
from airflow_multicloud.core.secret_sync.identity import COPY_TAG
from airflow_multicloud.ports.secrets import SecretsService, SecretState

if TYPE_CHECKING:
    from airflow_multicloud.testing.local_clouds import LocalServer

AWS, GCP, AZURE = "aws_secrets_local", "gcp_secrets_local", "azure_secrets_local"
CLOUDS = (AWS, GCP, AZURE)


@pytest.fixture
def prefix(
    local_secrets_manager: LocalServer,
    local_secret_manager: LocalServer,
    local_key_vault: LocalServer,
) -> str:
    """Of secrets that no other test has; some clouds write it otherwise."""
    return f"Air_flow/t{uuid.uuid4().hex[:8]}/"


def _hook(conn_id: str) -> SecretsService:
    return registry.resolve(SecretsService, conn_id)


def _write(conn_id: str, name: str, value: bytes, replaces: str | None = None, **tags: str) -> str:
    written = _hook(conn_id).write_secret(
        name, value, token=str(uuid.uuid4()), replaces=replaces, tags=tags or None
    )
    return written.id


@pytest.mark.parametrize("source", CLOUDS)
def test_from_each_cloud_to_the_others(source: str, prefix: str) -> None:
    to = [one for one in CLOUDS if one != source]
    first, second = f"{prefix}wareHouse", f"{prefix}api.key"
    version = _write(source, first, b"one", team="data")
    _write(source, second, b"two")
    created = api.sync_secrets(source, to, prefix=prefix)
    assert [one.created for one in created.destinations] == [2, 2]
    for conn_id in to:
        hook = _hook(conn_id)
        assert hook.read_secret(first).value == b"one"
        tags = hook.describe_secret(first).tags
        assert tags["team"] == "data"
        assert COPY_TAG in tags
    again = api.sync_secrets(source, to, prefix=prefix)
    assert again.in_sync, again

    _write(source, first, b"newer", version, team="data", tier="gold")
    replaced = api.sync_secrets(source, to, names=[first])
    assert [one.replaced for one in replaced.destinations] == [1, 1]
    others = _hook(to[0])
    there = others.describe_secret(second).current
    assert there is not None
    written = _write(to[0], second, b"another's", there.id)
    with pytest.raises(api.SyncFailedError, match="unknown_value"):
        api.sync_secrets(source, to, prefix=prefix)
    assert others.read_secret(second).version.id == written

    source_hook = _hook(source)
    gone = source_hook.describe_secret(second).current
    assert gone is not None
    source_hook.remove_secret(second, version=gone.id)
    api.sync_secrets(source, to, prefix=prefix, deletion_policy="remove")
    for conn_id in to:
        assert _hook(conn_id).describe_secret(first).state is SecretState.ENABLED
        assert _hook(conn_id).describe_secret(second).state in (
            SecretState.REMOVED,
            SecretState.DISABLED,
        )
    for conn_id in to:
        tags = _hook(conn_id).describe_secret(first).tags
        assert tags["tier"] == "gold"


def test_another_account_than_expected_is_refused(prefix: str) -> None:
    _write(AWS, f"{prefix}x", b"one")
    stores = {conn_id: _hook(conn_id).describe_store() for conn_id in CLOUDS}
    assert len({*stores.values()}) == len(CLOUDS)
    api.sync_secrets(AWS, [GCP, AZURE], prefix=prefix, accounts=stores)
    with pytest.raises(api.SecretsError, match="accounts: connection 'gcp_secrets_local' leads"):
        api.sync_secrets(AWS, [GCP], prefix=prefix, accounts={GCP: "projects/other"})
