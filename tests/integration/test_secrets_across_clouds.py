"""Secrets of three local clouds made equal: names, tags and removals by the rules of each."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud import api, registry
from airflow_multicloud.core.secret_sync.identity import COPY_TAG
from airflow_multicloud.ports.secrets import SecretsService, SecretState
from airflow_multicloud.testing.local_clouds.kit.secret_seeds import plant
from airflow_multicloud.testing.secret_faults import (
    MEANWHILE_VALUE,
    SecretCall,
    SecretFault,
    SecretFaultKind,
)
from tests.contract.secrets_rigs.aws import client_of

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
    removed = api.sync_secrets(source, to, prefix=prefix, deletion_policy="remove")
    assert [(one.kept, one.removed) for one in removed.destinations] == [(1, 0), (0, 1)]
    for conn_id in to:
        assert _hook(conn_id).describe_secret(first).state is SecretState.ENABLED
    assert others.read_secret(second).value == b"another's"
    assert _hook(to[1]).describe_secret(second).state is SecretState.REMOVED
    for conn_id in to:
        tags = _hook(conn_id).describe_secret(first).tags
        assert tags["tier"] == "gold"


def test_another_account_than_expected_is_refused(prefix: str) -> None:
    _write(AWS, f"{prefix}x", b"one")
    stores = {conn_id: _hook(conn_id).describe_store() for conn_id in CLOUDS}
    assert len({one.id for one in stores.values()}) == len(CLOUDS)
    for pick in (min, max):
        accounts = {conn_id: pick({one.id, *one.also}) for conn_id, one in stores.items()}
        api.sync_secrets(AWS, [GCP, AZURE], prefix=prefix, accounts=accounts)
    with pytest.raises(api.SecretsError, match="accounts: connection 'gcp_secrets_local' leads"):
        api.sync_secrets(AWS, [GCP], prefix=prefix, accounts={GCP: "projects/other"})


def test_a_rollback_at_the_destination_is_a_conflict(
    prefix: str, local_secrets_manager: LocalServer
) -> None:
    """As the user guide of Secrets Manager has it: the label moves, and no version is written."""
    name = f"{prefix}db"
    first = _write(GCP, name, b"old")
    api.sync_secrets(GCP, [AWS], prefix=prefix)
    _write(GCP, name, b"new", first)
    api.sync_secrets(GCP, [AWS], prefix=prefix)
    newer, older = _hook(AWS).list_secret_versions(name)
    client = client_of(local_secrets_manager)
    client.update_secret_version_stage(
        SecretId=_hook(AWS).check_secret_name(name),
        VersionStage="AWSCURRENT",
        MoveToVersionId=older.id,
        RemoveFromVersionId=newer.id,
    )
    client.close()
    with pytest.raises(api.SyncFailedError, match="written_back"):
        api.sync_secrets(GCP, [AWS], prefix=prefix)
    assert _hook(AWS).read_secret(name).value == b"old"
    report = api.sync_secrets(GCP, [AWS], prefix=prefix, on_conflict="overwrite")
    assert report.destinations[0].replaced == 1
    assert _hook(AWS).read_secret(name).value == b"new"


@pytest.mark.parametrize("stale", [False, True])
def test_anothers_value_that_google_let_be_overwritten_is_told(
    prefix: str, local_secret_manager: LocalServer, *, stale: bool
) -> None:
    """Also while Google does not tell of that version yet."""
    name = f"{prefix}db"
    first = _write(AWS, name, b"old")
    api.sync_secrets(AWS, [GCP], prefix=prefix)
    _write(AWS, name, b"new", first)
    faults = [SecretFault(kind=SecretFaultKind.MEANWHILE, name="db")]
    if stale:
        kind, call = SecretFaultKind.STALE, SecretCall.DESCRIBE
        faults.append(SecretFault(kind=kind, call=call, name="db", times=100))
    plant(local_secret_manager.endpoint, faults)
    try:
        with pytest.raises(api.SyncFailedError, match="overwritten"):
            api.sync_secrets(AWS, [GCP], prefix=prefix)
    finally:
        plant(local_secret_manager.endpoint, ())
    hook = _hook(GCP)
    values = [hook.read_secret(name, one.id).value for one in hook.list_secret_versions(name)]
    assert values == [b"new", MEANWHILE_VALUE, b"old"]
