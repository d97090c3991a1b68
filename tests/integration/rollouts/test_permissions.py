"""Each request of a deployment, its rollback and its end is in the map, and nothing goes unused."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from azure.mgmt.compute import models
from google.cloud import compute_v1

from airflow_multicloud import api, registry
from airflow_multicloud.clouds.azure.compute import launching as azure_launching
from airflow_multicloud.clouds.azure.compute.fields import Place, tags_of
from airflow_multicloud.clouds.gcp.compute import launching as gcp_launching
from airflow_multicloud.clouds.gcp.compute.fields import Place as GooglePlace
from airflow_multicloud.core.preflight.operations import needs_of, operations_of
from airflow_multicloud.core.rollout import artifacts
from airflow_multicloud.core.rollout.names import DEPLOYMENT
from airflow_multicloud.core.rollout.policy import RolloutPolicy
from airflow_multicloud.core.rollout.targets import Target
from airflow_multicloud.core.upload import upload
from airflow_multicloud.ports.compute import ComputeService, InstanceRef, LaunchOrder
from airflow_multicloud.ports.object_store import ObjectStore
from airflow_multicloud.testing.local_clouds.azure.compute import IDENTITY_ID
from airflow_multicloud.testing.local_clouds.gcp.service_account import signing_connection
from airflow_multicloud.testing.sample_app import Behaviour
from tests.faults.proxy import FaultProxy, proxied_connection
from tests.integration.preflight.test_objects import Recorded, covers, granted, lacking

from .asking import AskedMachines, check_machines, machines_of, refused_on_aws
from .landscape import CONNECTIONS, POLL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.core.rollout.standing import StandingInstance
    from airflow_multicloud.ports.calls import Grant
    from airflow_multicloud.testing.local_clouds import LocalClouds, LocalServer

    from .landscape import Landscape

CLOUDS = ("aws", "gcp", "azure")


@pytest.fixture
def asked(machine_servers: dict[str, LocalServer]) -> AskedMachines:
    return AskedMachines(machine_servers)


@pytest.fixture(scope="session")
def proxied(
    local_clouds: LocalClouds, machine_servers: dict[str, LocalServer]
) -> Iterator[dict[str, Recorded]]:
    """The object stores, each behind a proxy that notes what comes: ``noted_<cloud>``."""
    found: dict[str, Recorded] = {}
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        for cloud in CLOUDS:
            server = getattr(local_clouds, cloud)
            ((direct, connection),) = server.spec.connections.items()
            proxy = stack.enter_context(FaultProxy(server.spec.port, rewrite_host=cloud == "gcp"))
            told = proxied_connection(connection, proxy.port)
            if cloud == "gcp":
                storage = json.loads(told)
                told = json.dumps(signing_connection(storage, machine_servers["gcp"].endpoint))
            patch.setenv(f"AIRFLOW_CONN_NOTED_{cloud.upper()}", told)
            found[cloud] = Recorded(cloud, proxy, registry.resolve(ObjectStore, direct))
        yield found


def places(landscape: Landscape) -> dict[str, str]:
    schemes = {"aws": "s3", "gcp": "gs", "azure": "abfs"}
    bucket = landscape.lab.bucket
    return {c: f"{scheme}://noted_{c}@{bucket}/apps/" for c, scheme in schemes.items()}


def targets(landscape: Landscape, **changed: Any) -> list[dict[str, Any]]:
    found = {c: {"artifacts": uri, **changed.get(c, {})} for c, uri in places(landscape).items()}
    return landscape.targets(**found)


def compute_of(cloud: str) -> Any:
    return registry.resolve(ComputeService, CONNECTIONS[cloud])


def leave_parts(cloud: str, target: dict[str, Any], labels: dict[str, str]) -> None:
    """Of a machine that is gone."""
    hook = compute_of(cloud)
    spec = hook.resolve_launch(Target.of(target).prospects()[0].request)
    name = f"left-{uuid4().hex[:8]}"
    order = LaunchOrder(
        spec=spec, name=name, token=str(uuid4()), startup_script="#!/bin/sh\n", labels=labels
    )
    _LEAVE[cloud](hook, order)


def _leave_aws(hook: Any, order: LaunchOrder) -> None:
    client = hook._client_of("ec2", order.spec.region)
    tags = [{"Key": k, "Value": v} for k, v in {**order.labels, "Name": order.name}.items()]
    kinds = ("volume", "network-interface")
    volume, interface = ([{"ResourceType": kind, "Tags": tags}] for kind in kinds)
    client.create_volume(AvailabilityZone=order.spec.zone, Size=1, TagSpecifications=volume)
    client.create_network_interface(SubnetId=order.spec.subnet, TagSpecifications=interface)


def _leave_gcp(hook: Any, order: LaunchOrder) -> None:
    place = GooglePlace(order.spec.account_id, str(order.spec.zone), order.name)
    instance = gcp_launching._resource(order, place)
    instance.disks[0].auto_delete = False
    named = {"project": place.project, "zone": place.zone}
    made = compute_v1.InsertInstanceRequest(**named, instance_resource=instance)
    hook._wait(place, hook._instances.insert_unary(made))
    gone = compute_v1.DeleteInstanceRequest(**named, instance=place.name)
    hook._wait(place, hook._instances.delete_unary(gone))


def _leave_azure(hook: Any, order: LaunchOrder) -> None:
    at_once: dict[str, Any] = {"polling_interval": 0}
    place = Place(hook.subscription, hook._group(order), order.name)
    tags = tags_of(order)
    hook._made_address(Place(place.subscription, place.group, f"{order.name}-too"), order, tags)
    vm: Any = azure_launching._vm(place, order, tags, hook._made_nic(place, order, tags))
    vm.properties.storage_profile.os_disk.delete_option = "Detach"
    (nic,) = vm.properties.network_profile.network_interfaces
    nic.properties.delete_option = "Detach"
    machines, named = hook._compute.virtual_machines, (place.group, place.name)
    machines.begin_create_or_update(*named, vm, **at_once).result()
    labelled = models.DiskUpdate(tags=tags)
    hook._compute.disks.begin_update(place.group, place.disk, labelled, **at_once).result()
    machines.begin_delete(*named, **at_once).result()


_LEAVE = {"aws": _leave_aws, "gcp": _leave_gcp, "azure": _leave_azure}


def suspend(one: StandingInstance) -> None:
    """As somebody might, on the one cloud that has it."""
    hook = compute_of("gcp")
    place = GooglePlace(*(one.id.split("/")[n] for n in (1, 3, 5)))
    request = compute_v1.SuspendInstanceRequest(
        project=place.project, zone=place.zone, instance=place.name
    )
    hook._wait(place, hook._instances.suspend_unary(request))


def unlabel_disk(one: StandingInstance) -> None:
    """Which then is labelled again before its machine goes."""
    hook = compute_of("azure")
    place = hook._place(InstanceRef(one.id, one.region))
    bare = models.DiskUpdate(tags={})
    hook._compute.disks.begin_update(place.group, place.disk, bare, polling_interval=0).result()


def unlabel_volume(one: StandingInstance) -> None:
    """Which then is no more of the deployment, for its policy; its machine is."""
    client = compute_of("aws")._client_of("ec2", one.region)
    of_it = {"Name": "attachment.instance-id", "Values": [one.id]}
    (volume, *_) = client.describe_volumes(Filters=[of_it])["Volumes"]
    client.delete_tags(Resources=[volume["VolumeId"]], Tags=[{"Key": DEPLOYMENT}])


#: What a policy allows by tags, of all that a deployment does.
CHANGES_OF_AWS = {
    f"ec2:{name}"
    for name in (
        *("RunInstances", "CreateTags", "StartInstances", "StopInstances", "TerminateInstances"),
        *("DeleteVolume", "DeleteNetworkInterface", "GetConsoleOutput"),
    )
}


def changes_of_aws(requests: list[dict[str, Any]]) -> set[str]:
    return {one["action"] for one in requests if "about" in one}


def labels_of(landscape: Landscape, cloud: str) -> dict[str, str]:
    labels = {DEPLOYMENT: landscape.deployment_id}
    (found,) = [one for one in compute_of(cloud).list_instances(labels) if one.state.is_live]
    return dict(found.labels)


#: What instances of this test are asked for with.
WITH = ("public_address", "security_groups", "identity")


def elaborate(landscape: Landscape) -> list[dict[str, Any]]:
    """Targets that are asked for with all of :data:`WITH`."""
    with suppress(Exception):
        compute_of("aws")._client_of("iam").create_instance_profile(InstanceProfileName="runner")
    identities = {
        "aws": "runner",
        "gcp": "runner@local.iam.gserviceaccount.com",
        "azure": IDENTITY_ID,
    }
    plain = {one["name"]: one for one in targets(landscape)}
    return targets(
        landscape,
        **{
            cloud: {
                # One zone of Google's does not have it.
                "alternatives": [{"size": "n2d-standard-2"}] if cloud == "gcp" else None,
                "identity": identities[cloud],
                "network": {**plain[cloud]["network"], "public_address": True},
            }
            for cloud in CLOUDS
        },
    )


def power(one: StandingInstance, *, on: bool) -> None:
    """As the operators do."""
    hook, ref = compute_of(one.cloud), InstanceRef(one.id, one.region)
    begun = hook.power_instance(ref, on=on)
    while not begun.state.is_final:
        time.sleep(POLL.total_seconds())
        begun = hook.describe_operation(begun)
    hook.describe_instance(ref)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_machines_of_a_deployment(
    landscape: Landscape, proxied: dict[str, Recorded], asked: AskedMachines, cloud: str
) -> None:
    """From the first launch to the last, with what somebody stops and leaves in between."""
    (wanted,) = (one for one in elaborate(landscape) if one["name"] == cloud)
    app, bad = landscape.app("first"), landscape.app("bad", behaviour=Behaviour.ANSWERS_500)
    deploy = partial(landscape.deploy, targets=[wanted])
    deployed = {"deployment_id": landscape.deployment_id, "targets": [wanted]}
    conn_id = CONNECTIONS[cloud]

    deploy(app, revision="one").raise_if_failed()
    labels = labels_of(landscape, cloud)
    one = landscape.by_cloud()[cloud]
    if cloud == "gcp":
        suspend(one)
    else:
        power(one, on=False)
    if cloud == "aws":
        unlabel_volume(one)
    asked.forget()
    deploy(app, revision="one").raise_if_failed()
    seen, requests = asked.calls(cloud), asked.requests(cloud)
    power(one, on=False)
    leave_parts(cloud, wanted, labels)
    asked.forget()
    deploy(app, revision="one").raise_if_failed()
    policy = {"health_timeout_seconds": 2}
    assert not deploy(bad, revision="two", policy=policy).succeeded
    deploy(landscape.app("third"), revision="three").raise_if_failed()
    seen |= asked.calls(cloud)
    requests += asked.requests(cloud)
    given = {**deployed, "artifact": str(bad)}
    check_machines(cloud, seen, {"deploy": given}, conn_id, WITH)
    if cloud == "aws":
        assert changes_of_aws(requests) == CHANGES_OF_AWS
        assert refused_on_aws(requests, {"deploy": given}, conn_id) == []

    asked.forget()
    api.roll_back_deployment(
        landscape.deployment_id, "one", [wanted], policy=RolloutPolicy(canary=0, poll_interval=POLL)
    ).raise_if_failed()
    if cloud == "aws":
        assert refused_on_aws(asked.requests(cloud), {"rollback": deployed}, conn_id) == []
    needed = machines_of({"rollback": deployed}, conn_id)
    assert asked.calls(cloud) <= {one.call.call for one in needed}
    assert needed == machines_of({"deploy": given}, conn_id)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_stores_of_a_deployment(
    landscape: Landscape,
    proxied: dict[str, Recorded],
    monkeypatch: pytest.MonkeyPatch,
    cloud: str,
) -> None:
    """An artifact of a file and of a bucket; one that becomes another; and the way back."""
    bucket = landscape.lab.bucket
    app, other = landscape.app("first"), landscape.app("other")
    (wanted,) = (one for one in targets(landscape) if one["name"] == cloud)
    deploy = partial(landscape.deploy, targets=[wanted])
    there = proxied[cloud]
    there.proxy.reset()
    deploy(app, revision="one").raise_if_failed()
    with monkeypatch.context() as patch:
        patch.setattr(artifacts, "upload", partial(_upload_another, landscape.app("changed")))
        assert not deploy(other, revision="changed").succeeded
    used = there.requests(bucket)
    deployed = {"deployment_id": landscape.deployment_id, "targets": [wanted], "versioned": False}
    told = stores_of(cloud, {"deploy": {**deployed, "artifact": str(app)}}, bucket)
    assert lacking(used, told) == []
    # Of what any upload takes, which is proven as such; not all of it is taken by these files.
    upload = {"destination": f"{wanted['artifacts']}{landscape.deployment_id}/"}
    more = told - stores_of(cloud, {"upload": {**upload, "versioned": False}}, bucket)
    assert [one for one in more if not any(covers(one, used_one) for used_one in used)] == []

    source = f"{there.uri(bucket, 'builds/')}app.tar.gz".replace("recorded", "noted")
    there.fill(bucket, {"builds/app.tar.gz": other.read_bytes()})
    deploy(source, revision="two").raise_if_failed()
    used = there.requests(bucket)
    told = stores_of(cloud, {"deploy": {**deployed, "artifact": source}}, bucket)
    assert lacking(used, told) == []

    api.roll_back_deployment(
        landscape.deployment_id, "one", [wanted], policy=RolloutPolicy(canary=0, poll_interval=POLL)
    ).raise_if_failed()
    told = stores_of(cloud, {"rollback": deployed}, bucket)
    assert lacking(there.requests(bucket), told) == []


def _upload_another(changed: Path, file: Path, copy: Endpoint, **given: Any) -> Any:
    return upload(changed, copy, **given)


def stores_of(cloud: str, operation: dict[str, Any], bucket: str) -> frozenset[Grant]:
    found = granted(cloud, needs_of(operations_of([operation])))
    return frozenset(replace(one, resource=one.resource.replace(bucket, "BUCKET")) for one in found)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_machines_of_a_teardown(
    landscape: Landscape, proxied: dict[str, Recorded], asked: AskedMachines, cloud: str
) -> None:
    (wanted,) = (one for one in elaborate(landscape) if one["name"] == cloud)
    landscape.deploy(landscape.app(), targets=[wanted]).raise_if_failed()
    one = landscape.by_cloud()[cloud]
    for on, name in ((False, "stop_instance"), (True, "start_instance")):
        asked.forget()
        power(one, on=on)
        seen = asked.calls(cloud)
        if cloud == "gcp" and on:
            suspend(one)
            asked.forget()
            power(one, on=True)
            seen |= asked.calls(cloud)
        instance = {"conn_id": CONNECTIONS[cloud], "instance_id": one.id, "region": one.region}
        check_machines(cloud, seen, {name: instance}, CONNECTIONS[cloud])
    leave_parts(cloud, wanted, labels_of(landscape, cloud))
    if cloud == "azure":
        unlabel_disk(one)
    asked.forget()
    landscape.tear_down().raise_if_failed()
    given = {"deployment_id": landscape.deployment_id, "conn_ids": [CONNECTIONS[cloud]]}
    check_machines(cloud, asked.calls(cloud), {"teardown": given}, CONNECTIONS[cloud])
    if cloud == "aws":
        assert refused_on_aws(asked.requests(cloud), {"teardown": given}, CONNECTIONS[cloud]) == []
