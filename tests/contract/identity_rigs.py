"""The rigs of the identity contract: in memory, and the local clouds."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.ports.identity import Identity, Principal
from airflow_multicloud.testing.contracts.identity.rigs import IdentityRigSpec
from airflow_multicloud.testing.contracts.rigs import connected
from airflow_multicloud.testing.local_clouds.azure.arm import OBJECT_ID, SUBSCRIPTION_ID
from airflow_multicloud.testing.local_clouds.azure.object_store import AZURITE_ACCOUNT
from tests.integration import strict_aws
from tests.integration.answering import Answer, answering, service_account

if TYPE_CHECKING:
    from airflow_multicloud.testing.local_clouds import LocalClouds, LocalServer

Opener = Callable[[pytest.FixtureRequest], Identity]


@cache
def identity_rig_specs() -> tuple[IdentityRigSpec, ...]:
    # Imported here and not above: Airflow must not load before tests/conftest.py is configured.
    from airflow_multicloud.clouds.aws.identity import Hook as AwsHook
    from airflow_multicloud.clouds.azure.identity import Hook as AzureHook
    from airflow_multicloud.clouds.gcp.identity import Hook as GcpHook
    from airflow_multicloud.testing.memory_cloud.identity import Hook as MemoryHook

    return (
        IdentityRigSpec(
            name="memory",
            cloud="memory",
            hook=MemoryHook,
            open=lambda _request: MemoryHook("who"),
            principal=Principal("memory-who", "tester"),
        ),
        IdentityRigSpec(
            name="moto",
            cloud="aws",
            hook=AwsHook,
            open=connected(Identity, "aws_local", "local_clouds"),
            open_refused=_refused_by_aws,
        ),
        IdentityRigSpec(
            name="fake_gcs",
            cloud="gcp",
            hook=GcpHook,
            open=connected(Identity, "gcp_local", "local_clouds"),
            open_refused=_refused_by_gcp,
            principal=Principal("local", "anonymous"),
        ),
        IdentityRigSpec(
            name="resource_manager",
            cloud="azure",
            hook=AzureHook,
            open=connected(Identity, "azure_local", "local_azure"),
            open_refused=_refused_by_entra,
            principal=Principal(SUBSCRIPTION_ID, OBJECT_ID),
        ),
        IdentityRigSpec(
            name="azurite",
            cloud="azure",
            hook=AzureHook,
            open=connected(Identity, "wasb_local", "local_clouds"),
            open_refused=_refused_by_azure,
        ),
    )


def _refused_by_aws(request: pytest.FixtureRequest) -> Identity:
    server = _entered(request, strict_aws.running(request.getfixturevalue("tmp_path")))
    return _on(request, server.spec.connections["aws_local"])


def _refused_by_gcp(request: pytest.FixtureRequest) -> Identity:
    """The token server, which is all that Google is asked of who somebody is, refuses the key."""
    refusal = Answer(b'{"error": "invalid_grant"}', 400, {"content-type": "application/json"})
    server = _entered(request, answering(lambda _: refusal))
    key = json.dumps(service_account(server.url))
    return _on(request, {"conn_type": "google_cloud_platform", "extra": {"keyfile_dict": key}})


def _refused_by_azure(request: pytest.FixtureRequest) -> Identity:
    clouds: LocalClouds = request.getfixturevalue("local_clouds")
    return _on(
        request,
        {
            "conn_type": "wasb",
            "host": f"{clouds.azure.endpoint}/{AZURITE_ACCOUNT}",
            "login": AZURITE_ACCOUNT,
            "password": "d3Jvbmcga2V5" * 4,
        },
    )


def _refused_by_entra(request: pytest.FixtureRequest) -> Identity:
    server: LocalServer = request.getfixturevalue("local_azure")
    return _on(request, {**server.spec.connections["azure_local"], "password": "another"})


def _entered(request: pytest.FixtureRequest, context: AbstractContextManager[Any]) -> Any:
    value = context.__enter__()
    request.addfinalizer(lambda: context.__exit__(None, None, None))
    return value


def _on(request: pytest.FixtureRequest, connection: object) -> Identity:
    patch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
    patch.setenv("AIRFLOW_CONN_REFUSED", json.dumps(connection))
    return connected(Identity, "refused")(request)
