"""Secrets Manager: the local one, which checks signatures, forms, tokens and labels."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from airflow_multicloud.ports.secrets import SecretsService
from airflow_multicloud.testing.contracts.rigs import connected
from airflow_multicloud.testing.contracts.secrets.rigs import SecretsOutside, SecretsRigSpec
from airflow_multicloud.testing.local_clouds.aws import ACCESS_KEY, REGION, SECRET_KEY
from airflow_multicloud.testing.local_clouds.kit.admin import Admin
from airflow_multicloud.testing.local_clouds.kit.secret_seeds import plant

if TYPE_CHECKING:
    import pytest

    from airflow_multicloud.testing.local_clouds import LocalServer
    from airflow_multicloud.testing.secret_faults import SecretFault

SERVER, CONN_ID = "local_secrets_manager", "aws_secrets_local"
_PAGE = 3


def rig() -> SecretsRigSpec:
    from airflow_multicloud.clouds.aws.secrets import Hook

    return SecretsRigSpec(
        name="local_secrets_manager",
        cloud="aws",
        hook=Hook,
        open=_open,
        outside=_outside,
        plant=_plant,
        asked=lambda request: len(Admin(_server(request).endpoint).requests()),
        odd_end="==41",
        page=_PAGE,
        versions_page=_PAGE,
        open_refused=connected(SecretsService, "aws_secrets_wrong_key", SERVER),
    )


def client_of(server: LocalServer, **config: Any) -> Any:
    """Another writer's own client."""
    extra: Any = server.spec.connections[CONN_ID]["extra"]
    return boto3.client(
        "secretsmanager",
        region_name=REGION,
        endpoint_url=extra["endpoint_url"],
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        config=Config(**config),
    )


def _open(request: pytest.FixtureRequest) -> SecretsService:
    Admin(_server(request).endpoint).seed("secrets", [{"page": _PAGE}])
    return connected(SecretsService, CONN_ID, SERVER)(request)


def _server(request: pytest.FixtureRequest) -> LocalServer:
    server: LocalServer = request.getfixturevalue(SERVER)
    return server


def _plant(request: pytest.FixtureRequest, faults: Sequence[SecretFault]) -> None:
    plant(_server(request).endpoint, faults)


def _outside(request: pytest.FixtureRequest) -> SecretsOutside:
    client = client_of(_server(request))
    request.addfinalizer(client.close)

    def write(name: str, value: bytes) -> str:
        content = {"SecretString": value.decode(), "ClientRequestToken": str(uuid.uuid4())}
        try:
            return str(client.put_secret_value(SecretId=name, **content)["VersionId"])
        except client.exceptions.ResourceNotFoundException:
            return str(client.create_secret(Name=name, **content)["VersionId"])

    def tag(name: str, tags: Mapping[str, str]) -> None:
        there = client.describe_secret(SecretId=name).get("Tags", [])
        client.untag_resource(SecretId=name, TagKeys=[one["Key"] for one in there])
        client.tag_resource(
            SecretId=name, Tags=[{"Key": key, "Value": value} for key, value in tags.items()]
        )

    def purge(name: str) -> None:
        try:
            client.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
        except client.exceptions.ResourceNotFoundException:
            return

    def label(name: str, version: str, text: str) -> None:
        client.update_secret_version_stage(
            SecretId=name, VersionStage=text, MoveToVersionId=version
        )

    def manage(name: str) -> None:
        seed = {"name": name, "owning_service": "rds"}
        Admin(_server(request).endpoint).seed("secrets", [seed])

    return SecretsOutside(write=write, tag=tag, purge=purge, label=label, manage=manage)
