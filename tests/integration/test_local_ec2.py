"""The local EC2: what it refuses, how its machines boot, and what the hook makes of odd answers."""

from __future__ import annotations

import json
import logging
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from airflow_multicloud import registry
from airflow_multicloud.clouds.aws.compute import launching
from airflow_multicloud.clouds.aws.compute.sizes import _ACCELERATORS
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import CredentialsError, DeploymentError, ErrorKind, SpentTokenError
from airflow_multicloud.ports.compute import (
    Compute,
    Instance,
    InstanceRef,
    InstanceState,
    LaunchOrder,
    LaunchRequest,
    Network,
    SizeNeed,
)
from airflow_multicloud.ports.operations import Operation, OperationState
from airflow_multicloud.testing.local_clouds.aws import REGION
from airflow_multicloud.testing.local_clouds.aws.compute import security_group_of, subnet_of
from airflow_multicloud.testing.local_clouds.kit.admin import Admin
from airflow_multicloud.testing.machine_faults import FaultKind, MachineCall, MachineFault

if TYPE_CHECKING:
    from airflow_multicloud.testing.local_clouds import LocalServer

ZONE = "us-east-1a"
REQUEST = LaunchRequest(
    region=REGION,
    zone=ZONE,
    size="t3.small",
    network=Network(subnets=(subnet_of(ZONE),), security_groups=(security_group_of(REGION),)),
)
SERVICE = """#!/bin/sh
mkdir -p "$MULTICLOUD_ROOT/www" && cd "$MULTICLOUD_ROOT/www" && echo up > index.html
echo serving
exec python3 -m http.server --bind "$MULTICLOUD_ADDRESS" 8080
"""


@pytest.fixture
def admin(local_ec2: LocalServer) -> Iterator[Admin]:
    admin = Admin(local_ec2.endpoint)
    admin.reset()
    yield admin
    admin.reset()


@pytest.fixture
def client(local_ec2: LocalServer, admin: Admin) -> Any:
    extra: Any = local_ec2.spec.connections["aws_compute_local"]["extra"]
    return boto3.client(
        "ec2",
        region_name=REGION,
        endpoint_url=extra["endpoint_url"],
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(parameter_validation=False, retries={"total_max_attempts": 1}),
    )


@pytest.fixture
def hook(admin: Admin) -> Iterator[Any]:
    hook: Any = registry.resolve(Compute, "aws_compute_local")
    mark = uuid.uuid4().hex[:8]
    hook.mark = mark
    yield hook
    for instance in hook.list_instances({"test": mark}, REGION):
        finished(hook, hook.terminate_instance(instance.ref))


def ordered(hook: Any, **changes: Any) -> LaunchOrder:
    order = LaunchOrder(
        spec=hook.resolve_launch(REQUEST),
        name=f"t-{uuid.uuid4().hex[:8]}",
        token=str(uuid.uuid4()),
        startup_script="#!/bin/sh\necho started\n",
        labels={"test": hook.mark},
    )
    return replace(order, **changes)


def finished(hook: Any, operation: Operation) -> Operation:
    end = time.monotonic() + 30
    while not operation.state.is_final:
        assert time.monotonic() < end
        operation = hook.describe_operation(operation)
        time.sleep(0.05)
    return operation


def launched(hook: Any, order: LaunchOrder | None = None) -> Instance:
    done = finished(hook, hook.launch_instance(order or ordered(hook)))
    assert done.state is OperationState.SUCCEEDED, done.error
    found: Instance = hook.describe_instance(InstanceRef(done.resource, REGION))
    return found


def wanted(hook: Any, order: LaunchOrder) -> dict[str, Any]:
    """What the hook sends for an order."""
    found: dict[str, Any] = hook._wanted(order)
    return found


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Code"])


def plant(admin: Admin, **fault: Any) -> None:
    admin.seed("machine_faults", [to_document(MachineFault(**fault))])


# -- what it refuses ---------------------------------------------------------------------------


def test_it_refuses_what_the_model_does_not_know(client: Any) -> None:
    def bad(name: str, value: str) -> Callable[[], object]:
        def call() -> object:
            def add(params: Any, **_: object) -> None:
                params["body"][name] = value

            client.meta.events.register_first("before-call.ec2.DescribeInstances", add, name)
            try:
                return client.describe_instances()
            finally:
                client.meta.events.unregister("before-call.ec2.DescribeInstances", add, name)

        return call

    assert refused(bad("Colour", "red")) == "UnknownParameter"
    assert refused(bad("InstanceId.first", "i-1")) == "UnknownParameter"
    assert refused(bad("Filter.1.Colour", "red")) == "UnknownParameter"
    assert refused(bad("MaxResults", "many")) == "InvalidParameterValue"
    assert refused(bad("Action", "DescribeUnicorns")) == "InvalidAction"
    assert refused(lambda: client.run_instances(ImageId="ami-1")) == "MissingParameter"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ImageId": "ami-00000000000000000"}, "InvalidAMIID.NotFound"),
        ({"InstanceType": "t9.gigantic"}, "InvalidParameterValue"),
        ({"InstanceType": "t4g.small"}, "InvalidParameterValue"),  # of the other architecture
        ({"ClientToken": "x" * 65}, "InvalidParameterValue"),
        ({"IamInstanceProfile": {"Name": "no-such"}}, "NoSuchEntity"),
    ],
)
def test_it_refuses_what_does_not_go_together(
    client: Any, hook: Any, changes: dict[str, Any], code: str
) -> None:
    assert refused(lambda: client.run_instances(**wanted(hook, ordered(hook)) | changes)) == code
    assert not list(hook.list_instances({"test": hook.mark}, REGION))


def test_it_refuses_groups_and_subnets_that_are_not_there(client: Any, hook: Any) -> None:
    given = wanted(hook, ordered(hook))
    (interface,) = given["NetworkInterfaces"]
    groups = given | {"NetworkInterfaces": [interface | {"Groups": ["sg-00000000000000000"]}]}
    subnets = given | {"NetworkInterfaces": [interface | {"SubnetId": "subnet-0000000000"}]}
    assert refused(lambda: client.run_instances(**groups)) == "InvalidGroup.NotFound"
    assert refused(lambda: client.run_instances(**subnets)) == "InvalidSubnetID.NotFound"


def test_it_refuses_a_size_that_the_zone_has_not(client: Any, hook: Any) -> None:
    size = "p3dn.24xlarge"
    by_size = [{"Name": "instance-type", "Values": [size]}]
    offers = client.describe_instance_type_offerings(
        LocationType="availability-zone", Filters=by_size
    )["InstanceTypeOfferings"]
    assert offers
    assert ZONE not in [offer["Location"] for offer in offers]
    given = wanted(hook, ordered(hook)) | {"InstanceType": size}
    assert refused(lambda: client.run_instances(**given)) == "Unsupported"
    with pytest.raises(DeploymentError, match=f"size: {size} is not offered in {ZONE}") as caught:
        hook.resolve_launch(replace(REQUEST, size=size))
    assert caught.value.kind is ErrorKind.UNSUPPORTED


def test_a_token_is_one_request(client: Any, hook: Any) -> None:
    given = wanted(hook, ordered(hook))
    first = client.run_instances(**given)["Instances"][0]
    again = client.run_instances(**given)["Instances"][0]
    assert again["InstanceId"] == first["InstanceId"]
    other = given | {"UserData": "#!/bin/sh\n"}
    assert refused(lambda: client.run_instances(**other)) == "IdempotentParameterMismatch"
    client.terminate_instances(InstanceIds=[first["InstanceId"]])
    by_id = {"InstanceIds": [first["InstanceId"]]}
    client.get_waiter("instance_terminated").wait(**by_id, WaiterConfig={"Delay": 1})
    for spent in (given, other):
        assert refused(lambda: client.run_instances(**spent)) == "IdempotentInstanceTerminated"  # noqa: B023


def test_a_token_is_kept_for_each_zone(client: Any, hook: Any) -> None:
    given = wanted(hook, ordered(hook))
    (interface,) = given["NetworkInterfaces"]
    elsewhere = [interface | {"SubnetId": subnet_of("us-east-1b")}]
    first = client.run_instances(**given)["Instances"][0]
    second = client.run_instances(**given | {"NetworkInterfaces": elsewhere})["Instances"][0]
    assert first["InstanceId"] != second["InstanceId"]


# -- what a request comes to -------------------------------------------------------------------


@pytest.mark.parametrize(("vcpus", "gib"), [(2, 8), (4, 16), (8, 32), (16, 64), (96, 384)])
def test_a_size_by_need_has_nothing_that_nobody_asked_for(
    client: Any, hook: Any, vcpus: int, gib: int
) -> None:
    """Neither graphics cards nor disks of its own, as g6f.large and d3en.xlarge have."""
    need = SizeNeed(vcpus=vcpus, memory_bytes=gib * 2**30)
    found = hook.resolve_launch(replace(REQUEST, size=need)).size
    assert (found.vcpus, found.memory_bytes) == (need.vcpus, need.memory_bytes)
    (told,) = client.describe_instance_types(InstanceTypes=[found.name])["InstanceTypes"]
    assert not told["InstanceStorageSupported"]
    assert not {key for key in told if key in _ACCELERATORS}


def test_a_disk_that_is_too_small_for_the_image(hook: Any) -> None:
    image = hook.resolve_launch(REQUEST).image.id
    said = f"disk_bytes: 1 given; the image {image} needs at least "
    with pytest.raises(DeploymentError, match=said) as caught:
        hook.resolve_launch(replace(REQUEST, disk_bytes=1))
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


def test_the_plan_names_every_permission_that_is_used(hook: Any, admin: Admin) -> None:
    """And no others, except of what only deletes parts that their instance left behind."""
    order = ordered(hook)
    told = {p for call in order.spec.calls for p in call.permissions}
    found = launched(hook, order)
    hook.label_instance(found.ref, {"a": "b"})
    assert list(hook.list_instances({"test": hook.mark}, REGION))
    hook.read_console(found.ref)
    for on in (False, True):
        finished(hook, hook.power_instance(found.ref, on=on))
    finished(hook, hook.terminate_instance(found.ref))
    used = {asked["action"] for asked in admin.requests()}
    assert used - told == {"sts:GetCallerIdentity"}, "which needs no permission"
    assert told - used == {"ec2:DeleteVolume", "ec2:DeleteNetworkInterface"}


def test_a_part_that_is_no_more_of_its_deployment_is_left_alone(
    client: Any, hook: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A policy for the deployment would refuse the label for the instance and all its parts."""
    labels = {"test": hook.mark, "multicloud-deployment": "shop"}
    found = launched(hook, ordered(hook, labels=labels))
    attached = [{"Name": "attachment.instance-id", "Values": [found.ref.id]}]
    (volume,) = client.describe_volumes(Filters=attached)["Volumes"]
    client.delete_tags(Resources=[volume["VolumeId"]], Tags=[{"Key": "multicloud-deployment"}])
    hook._log = logging.getLogger("parts")
    hook.label_instance(found.ref, {"a": "b"})
    (volume,) = client.describe_volumes(Filters=attached)["Volumes"]
    (interface,) = client.describe_network_interfaces(Filters=attached)["NetworkInterfaces"]
    assert "a" not in {tag["Key"] for tag in volume["Tags"]}
    assert {"Key": "a", "Value": "b"} in interface["TagSet"]
    assert f"{volume['VolumeId']} in {REGION} is left as it is" in caplog.text
    finished(hook, hook.terminate_instance(found.ref))
    assert client.describe_volumes(Filters=attached)["Volumes"] == []


def test_refused_credentials_name_their_connection(
    local_ec2: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    extra: Any = local_ec2.spec.connections["aws_compute_local"]["extra"]
    connection = {"conn_type": "aws", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_AWS_NOBODY", json.dumps(connection))
    nobody: Any = registry.resolve(Compute, "aws_nobody")
    for call in (
        lambda: nobody.resolve_launch(REQUEST),
        lambda: list(nobody.list_instances({"a": "b"})),
    ):
        with pytest.raises(CredentialsError, match="connection 'aws_nobody'"):
            call()


def test_a_list_says_which_regions_it_lacks(hook: Any, admin: Admin) -> None:
    plant(
        admin,
        kind=FaultKind.REFUSE,
        call=MachineCall.LIST,
        error=ErrorKind.UNAVAILABLE,
        region="eu-central-1",
        times=9,
    )
    with pytest.raises(
        DeploymentError, match=r"1 of 3 regions .*: eu-central-1; .*--region"
    ) as caught:
        list(hook.list_instances({"test": hook.mark}))
    assert caught.value.kind is ErrorKind.UNAVAILABLE
    assert not list(hook.list_instances({"test": hook.mark}, REGION))


# -- what the hook asks for, and what it makes of answers --------------------------------------


def test_everything_that_is_made_carries_the_labels(client: Any, hook: Any) -> None:
    found = launched(hook)
    by_label = [{"Name": "tag:test", "Values": [hook.mark]}]
    (volume,) = client.describe_volumes(Filters=by_label)["Volumes"]
    (interface,) = client.describe_network_interfaces(Filters=by_label)["NetworkInterfaces"]
    assert volume["Attachments"][0]["InstanceId"] == found.ref.id
    assert interface["Attachment"]["InstanceId"] == found.ref.id
    (reservation,) = client.describe_instances(InstanceIds=[found.ref.id])["Reservations"]
    (instance,) = reservation["Instances"]
    assert instance["MetadataOptions"]["HttpTokens"] == "required"
    assert instance["BlockDeviceMappings"][0]["Ebs"]["DeleteOnTermination"] is True


def test_the_disk_has_the_size_that_is_asked_for(client: Any, hook: Any) -> None:
    order = ordered(hook)
    launched(hook, replace(order, spec=replace(order.spec, disk_bytes=20 * 2**30 + 1)))
    by_label = [{"Name": "tag:test", "Values": [hook.mark]}]
    (volume,) = client.describe_volumes(Filters=by_label)["Volumes"]
    assert volume["Size"] == 21


def test_parts_alone_are_listed_and_can_be_terminated(client: Any, hook: Any) -> None:
    tags = [{"Key": "test", "Value": hook.mark}, {"Key": "Name", "Value": "left-behind"}]
    client.create_volume(
        AvailabilityZone=ZONE,
        Size=1,
        TagSpecifications=[{"ResourceType": "volume", "Tags": tags}],
    )
    client.create_network_interface(
        SubnetId=subnet_of(ZONE),
        TagSpecifications=[{"ResourceType": "network-interface", "Tags": tags}],
    )
    found = list(hook.list_instances({"test": hook.mark}, REGION))
    assert [i.state for i in found] == [InstanceState.INCOMPLETE] * 2
    assert {i.name for i in found} == {"left-behind"}
    for part in found:
        assert hook.describe_instance(part.ref) == part
        done = finished(hook, hook.terminate_instance(part.ref))
        assert done.state is OperationState.SUCCEEDED
    assert not list(hook.list_instances({"test": hook.mark}, REGION))


def test_a_volume_that_outlives_its_instance_is_deleted(client: Any, hook: Any) -> None:
    found = launched(hook)
    (volume,) = client.describe_volumes(Filters=[{"Name": "tag:test", "Values": [hook.mark]}])[
        "Volumes"
    ]
    device = volume["Attachments"][0]["Device"]
    keep = [{"DeviceName": device, "Ebs": {"DeleteOnTermination": False}}]
    client.modify_instance_attribute(InstanceId=found.ref.id, BlockDeviceMappings=keep)
    finished(hook, hook.terminate_instance(found.ref))
    assert not list(hook.list_instances({"test": hook.mark}, REGION))
    assert refused(lambda: client.describe_volumes(VolumeIds=[volume["VolumeId"]])) == (
        "InvalidVolume.NotFound"
    )


def test_an_instance_that_is_too_new_to_be_seen_is_pending(hook: Any, admin: Admin) -> None:
    admin.seed("unseen", [{"looks": 2}])
    operation = hook.launch_instance(ordered(hook))
    states = [hook.describe_operation(operation).state for _ in range(2)]
    assert states == [OperationState.PENDING] * 2
    assert finished(hook, operation).state is OperationState.SUCCEEDED


def test_an_instance_that_is_never_seen_is_no_launch(hook: Any) -> None:
    missing = Operation(
        handle=f"{REGION} {time.time() - 301:.3f}",
        action="launch",
        resource="i-00000000000000000",
        state=OperationState.RUNNING,
        seen_at=datetime.now(UTC),
    )
    assert hook.describe_operation(missing).state is OperationState.CANCELLED


def test_what_is_terminated_before_it_is_seen_is_not_forgotten(hook: Any, admin: Admin) -> None:
    admin.seed("unseen", [{"looks": 2}])
    begun = hook.launch_instance(ordered(hook))
    ref = InstanceRef(begun.resource, REGION)
    ended = hook.terminate_instance(ref)
    assert ended.state is OperationState.RUNNING
    assert finished(hook, ended).state is OperationState.SUCCEEDED
    assert hook.describe_instance(ref).state is InstanceState.TERMINATED


def test_a_launch_of_another_account_is_refused(hook: Any) -> None:
    order = ordered(hook)
    with pytest.raises(DeploymentError, match="account_id") as caught:
        hook.launch_instance(replace(order, spec=replace(order.spec, account_id="000000000000")))
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


def test_a_script_that_is_too_long_is_refused(hook: Any) -> None:
    with pytest.raises(DeploymentError, match="startup_script") as caught:
        hook.launch_instance(ordered(hook, startup_script="#" * 16385))
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


def test_a_spent_token_with_another_script(hook: Any) -> None:
    order = ordered(hook)
    found = launched(hook, order)
    finished(hook, hook.terminate_instance(found.ref))
    with pytest.raises(SpentTokenError, match="token"):
        hook.launch_instance(replace(order, startup_script="#!/bin/sh\n# later\n"))


def test_a_spent_token_with_the_same_script(hook: Any) -> None:
    order = ordered(hook)
    finished(hook, hook.terminate_instance(launched(hook, order).ref))
    with pytest.raises(SpentTokenError, match=r"token: .* has been terminated") as caught:
        hook.launch_instance(order)
    assert caught.value.code == "IdempotentInstanceTerminated"


def test_a_token_whose_instance_is_not_listed_is_spent_in_the_end(
    hook: Any, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is said to be gone that may only be too new to be listed."""
    monkeypatch.setattr(launching, "_WAITS", (0.0,))
    order = ordered(hook)
    admin.seed("unseen", [{"looks": 5}])
    begun = hook.launch_instance(order)
    other = replace(order, startup_script="#!/bin/sh\n# another URL\n")
    with pytest.raises(DeploymentError, match="try again") as caught:
        hook.launch_instance(other)
    assert caught.value.kind is ErrorKind.BUSY
    monkeypatch.setattr(launching, "UNSEEN", timedelta(0))
    with pytest.raises(SpentTokenError, match="does not list its instance any more"):
        hook.launch_instance(other)
    assert hook.launch_instance(other).resource == begun.resource


def test_capacity_is_not_asked_for_again(hook: Any, admin: Admin) -> None:
    order = ordered(hook)
    plant(admin, kind=FaultKind.REFUSE, error=ErrorKind.CAPACITY, zone=ZONE, times=1)
    with pytest.raises(DeploymentError) as caught:
        hook.launch_instance(order)
    assert (caught.value.kind, caught.value.code) == (
        ErrorKind.CAPACITY,
        "InsufficientInstanceCapacity",
    )


def test_throttling_is_waited_out(hook: Any, admin: Admin) -> None:
    order = ordered(hook)
    plant(admin, kind=FaultKind.REFUSE, error=ErrorKind.THROTTLED, name=order.name, times=2)
    assert launched(hook, order).name == order.name


def test_a_fault_of_another_zone_is_not_met(hook: Any, admin: Admin) -> None:
    plant(admin, kind=FaultKind.REFUSE, error=ErrorKind.CAPACITY, zone="us-east-1b")
    assert launched(hook).zone == ZONE


# -- machines that boot ------------------------------------------------------------------------


def fetched(instance: Instance) -> str | None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://{instance.address}:8080/", timeout=2) as answer:
            return str(answer.read().decode().strip())
    except OSError:
        return None


def comes_to(look: Callable[[], object], value: object) -> None:
    end = time.monotonic() + 30
    while look() != value:
        assert time.monotonic() < end, value
        time.sleep(0.1)


def test_the_script_serves_and_ends_with_its_instance(hook: Any) -> None:
    found = launched(hook, ordered(hook, startup_script=SERVICE))
    comes_to(lambda: fetched(found), "up")
    assert "serving" in hook.read_console(found.ref)
    finished(hook, hook.power_instance(found.ref, on=False))
    assert fetched(found) is None
    finished(hook, hook.power_instance(found.ref, on=True))
    comes_to(lambda: fetched(found), "up")
    finished(hook, hook.terminate_instance(found.ref))
    assert fetched(found) is None


def test_a_slow_boot_is_pending(hook: Any, admin: Admin) -> None:
    plant(admin, kind=FaultKind.SLOW_BOOT, seconds=1.0)
    begun = hook.launch_instance(ordered(hook))
    ref = InstanceRef(begun.resource, REGION)
    assert hook.describe_instance(ref).state is InstanceState.PENDING
    assert finished(hook, begun).state is OperationState.SUCCEEDED


def test_one_that_dies_has_stopped_by_itself(hook: Any, admin: Admin) -> None:
    plant(admin, kind=FaultKind.DIE, seconds=3)
    found = launched(hook)
    comes_to(lambda: hook.describe_instance(found.ref).state, InstanceState.STOPPED)
    dead = hook.describe_instance(found.ref)
    assert dead.error_kind is ErrorKind.UNAVAILABLE
    assert dead.error is not None
    assert "InstanceInitiatedShutdown" in dead.error


def test_one_that_was_stopped_has_no_error(hook: Any) -> None:
    found = launched(hook)
    finished(hook, hook.power_instance(found.ref, on=False))
    assert hook.describe_instance(found.ref).error_kind is None


def test_one_without_a_boot_runs_nothing(hook: Any, admin: Admin) -> None:
    plant(admin, kind=FaultKind.NO_BOOT)
    found = launched(hook, ordered(hook, startup_script=SERVICE))
    time.sleep(0.5)
    assert fetched(found) is None
    assert hook.read_console(found.ref) == ""


def test_one_that_is_on_its_way_is_not_asked_twice(hook: Any, admin: Admin) -> None:
    plant(admin, kind=FaultKind.SLOW_BOOT, seconds=1.0)
    begun = hook.launch_instance(ordered(hook))
    started = hook.power_instance(InstanceRef(begun.resource, REGION), on=True)
    assert started.state is OperationState.RUNNING
    assert finished(hook, started).state is OperationState.SUCCEEDED


def test_a_cleared_fault_is_gone(hook: Any, admin: Admin) -> None:
    plant(admin, kind=FaultKind.REFUSE, call=MachineCall.LAUNCH, error=ErrorKind.QUOTA)
    admin.seed("machine_faults", [{"clear": True}])
    assert launched(hook).state is InstanceState.RUNNING
