"""What can't be deployed is refused with the parameter's name, and nothing is made of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from azure.storage.blob import ContainerSasPermissions, generate_container_sas

from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.testing.local_clouds.azure.object_store import (
    AZURITE_ACCOUNT,
    AZURITE_KEY,
)
from tests.integration.lab import put, tree_of

if TYPE_CHECKING:
    from typing import Any

    from airflow_multicloud.testing.local_clouds import LocalClouds

    from .landscape import Landscape

CLOUDS = ["aws", "gcp", "azure"]
NO_SUBNET = {
    "aws": "subnet-00000000000000000",
    "gcp": "no-such-subnet",
    "azure": "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/none/providers/"
    "Microsoft.Network/virtualNetworks/none/subnets/none",
}
NO_REGION = {"aws": "nowhere-1", "gcp": "nowhere1", "azure": "nowhere"}


def refused(landscape: Landscape, artifact: str, **given: Any) -> str:
    """Deploying this is refused, and leaves nothing; the message."""
    with pytest.raises(CloudError) as caught:
        landscape.deploy(artifact, **given)
    landscape.check_nothing_is_left()
    for place in landscape.places.values():
        assert tree_of(place) == {}
    return str(caught.value)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_subnet_that_is_not_there(landscape: Landscape, cloud: str) -> None:
    network = {"subnets": [NO_SUBNET[cloud]]}
    targets = landscape.targets(**{cloud: {"network": network}})
    message = refused(landscape, str(landscape.app()), targets=targets)
    assert message.startswith(f"target {cloud}: ")
    assert "subnets" in message
    assert NO_SUBNET[cloud].rpartition("/")[2] in message


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_region_that_is_not_there(landscape: Landscape, cloud: str) -> None:
    changed = {"region": NO_REGION[cloud], "zones": []}
    targets = landscape.targets(**{cloud: changed})
    message = refused(landscape, str(landscape.app()), targets=targets)
    assert message.startswith(f"target {cloud}: ")
    assert "region" in message
    assert NO_REGION[cloud] in message


def test_two_targets_of_one_name(landscape: Landscape) -> None:
    targets = landscape.targets(gcp={"name": "aws"})
    message = refused(landscape, str(landscape.app()), targets=targets)
    assert message.startswith("targets: ")
    assert "two targets named aws" in message


def test_more_instances_than_the_limit(landscape: Landscape) -> None:
    targets = landscape.targets(aws={"count": 3})
    message = refused(landscape, str(landscape.app()), targets=targets, max_instances=4)
    assert message.startswith("max_instances: ")
    assert "5 instances in all targets" in message
    assert "at most 4" in message


def test_an_artifact_that_is_not_there(landscape: Landscape) -> None:
    message = refused(landscape, str(landscape.scratch / "none.tar.gz"))
    assert message.startswith("artifact: ")
    assert "none.tar.gz" in message


def test_an_artifact_that_may_not_be_read(
    landscape: Landscape, local_clouds: LocalClouds, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = landscape.lab.bucket
    put(f"abfs://wasb_local@{bucket}/builds/app.tar.gz", landscape.app().read_bytes())
    may_list = generate_container_sas(
        AZURITE_ACCOUNT,
        bucket,
        AZURITE_KEY,
        permission=ContainerSasPermissions(list=True),
        expiry=datetime.now(UTC) + timedelta(hours=1),
        protocol="https,http",
    )
    endpoint = f"{local_clouds.azure.endpoint}/{AZURITE_ACCOUNT}"
    extra = {"connection_string": f"BlobEndpoint={endpoint};SharedAccessSignature={may_list}"}
    monkeypatch.setenv("AIRFLOW_CONN_LISTS_ONLY", json.dumps({"conn_type": "wasb", "extra": extra}))
    artifact = f"abfs://lists_only@{bucket}/builds/app.tar.gz"
    with pytest.raises(CloudError) as caught:
        landscape.deploy(artifact)
    assert caught.value.kind is ErrorKind.PERMISSION_DENIED
    assert "artifact: " in str(caught.value)
    assert "it may not be read with this connection" in str(caught.value)
    landscape.check_nothing_is_left()
