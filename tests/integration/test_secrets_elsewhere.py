"""Another server at a store's address: that it has no such page says nothing about a secret."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud import registry
from airflow_multicloud.errors import ErrorKind, SecretsError
from airflow_multicloud.ports.secrets import SecretsService
from airflow_multicloud.testing.local_clouds.azure.arm import azure_connection
from airflow_multicloud.testing.local_clouds.kit.certificates import issue
from airflow_multicloud.testing.local_clouds.kit.http import HttpServer, Routes

if TYPE_CHECKING:
    from pathlib import Path


def _connection(cloud: str, endpoint: str, authority: Path) -> dict[str, object]:
    if cloud == "aws":
        extra = {"region_name": "eu-central-1", "endpoint_url": endpoint, "verify": str(authority)}
        return {"conn_type": "aws", "login": "AKIA", "password": "a-password", "extra": extra}
    connection = azure_connection(1, 1, authority)
    given = connection["extra"]
    assert isinstance(given, dict)
    return {**connection, "extra": {**given, "key_vault_url": endpoint}}


@pytest.mark.parametrize("cloud", ["aws", "azure"])
def test_a_page_that_is_not_found_is_no_absence(
    cloud: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificates = issue(tmp_path)
    with HttpServer(Routes([]), certificates=certificates) as server:
        connection = _connection(cloud, server.endpoint, certificates.authority)
        monkeypatch.setenv("AIRFLOW_CONN_ELSEWHERE", json.dumps(connection))
        hook = registry.resolve(SecretsService, "elsewhere")
        with pytest.raises(SecretsError) as read:
            hook.read_secret("app/db")
        with pytest.raises(SecretsError) as described:
            hook.describe_secret("app/db")
    assert {read.value.kind, described.value.kind} == {ErrorKind.UNAVAILABLE}
