"""The local EC2: what it refuses, how its machines boot, and what the hook makes of odd answers."""

from __future__ import annotations

import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from airflow_multicloud import registry
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import DeploymentError, ErrorKind, SpentTokenError
from airflow_multicloud.ports.compute import (
    Compute,
    Instance,
    InstanceRef,
    InstanceState,
    LaunchOrder,
    LaunchRequest,
    Network,
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
    spent = client.run_instances(**given)["Instances"][0]
    assert spent["InstanceId"] == first["InstanceId"]
    assert spent["State"]["Name"] in ("shutting-down", "terminated")


def test_a_token_is_kept_for_each_zone(client: Any, hook: Any) -> None:
    given = wanted(hook, ordered(hook))
    (interface,) = given["NetworkInterfaces"]
    elsewhere = [interface | {"SubnetId": subnet_of("us-east-1b")}]
    first = client.run_instances(**given)["Instances"][0]
    second = client.run_instances(**given | {"NetworkInterfaces": elsewhere})["Instances"][0]
    assert first["InstanceId"] != second["InstanceId"]


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
