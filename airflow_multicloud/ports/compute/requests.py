"""What is asked for: an instance that is wanted, what that comes to, and the order to launch it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from airflow_multicloud.ports.calls import ApiCall
from airflow_multicloud.ports.compute.values import Architecture, Image, Size


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeNeed:
    """What an instance needs; the cloud's smallest current size that has it is taken.

    :param vcpus: at least.
    :param memory_bytes: at least.
    """

    vcpus: int
    memory_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Where an instance is attached; it must be there before.

    :param subnets: AWS: ids of subnets, one for each zone that is used. Google Cloud: one
        subnetwork, ``projects/P/regions/R/subnetworks/N``, or its name in the connection's
        project. Azure: the resource id of one subnet.
    :param security_groups: AWS: ids of security groups. Google Cloud: network tags, which firewall
        rules name. Azure: the resource id of at most one network security group.
    :param public_address: whether it gets an address of the internet.
    """

    subnets: tuple[str, ...]
    security_groups: tuple[str, ...] = ()
    public_address: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchRequest:
    """An instance that is wanted.

    :param region: in which.
    :param zone: in which; ``None`` leaves it to the cloud (AWS: the zone of the first subnet;
        Google Cloud: the region's first zone that is up; Azure: none).
    :param size: its name, or what is needed.
    :param image: ``None`` for the cloud's current Linux image: AWS: Amazon Linux 2023, by the
        public SSM parameter; Google Cloud: the family ``debian-12``; Azure: Ubuntu 24.04 LTS.
        Else, AWS: an AMI id or ``resolve:ssm:<parameter>``; Google Cloud:
        ``projects/P/global/images/N`` or ``projects/P/global/images/family/F``; Azure:
        ``publisher:offer:sku:version``, or an image's resource id.
    :param architecture: of the image and the size.
    :param identity: what it may act as: AWS: an instance profile's name or ARN; Google Cloud: a
        service account; Azure: the resource id of a user-assigned managed identity.
    :param disk_bytes: of its boot disk; the image's own size when left out. Rounded up to GiB.
    :param resource_group: Azure: where it is made; the subnet's own when left out. The other clouds
        refuse one.
    """

    region: str
    network: Network
    size: str | SizeNeed
    zone: str | None = None
    image: str | None = None
    architecture: Architecture = Architecture.X86_64
    identity: str | None = None
    disk_bytes: int | None = None
    resource_group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchSpec:
    """What a request comes to in one account, with everything looked up: it is launched as it is.

    :param account_id: in which it will be made.
    :param subnet: the one of the request that is used, in its cloud's full form.
    :param resource_group: Azure: in which it will be made.
    :param calls: that it will take.
    """

    account_id: str
    region: str
    zone: str | None
    size: Size
    image: Image
    subnet: str
    security_groups: tuple[str, ...] = ()
    public_address: bool = False
    identity: str | None = None
    disk_bytes: int | None = None
    resource_group: str | None = None
    calls: tuple[ApiCall, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchOrder:
    """One instance to launch.

    :param spec: what to launch.
    :param name: at most 63 characters: a lower-case letter, then those, digits and hyphens, with no
        hyphen at the end. Where the cloud's names are unique (Google Cloud, Azure) there is never a
        second instance of this name.
    :param token: a UUID; two orders with one token are one order, and the second gets the instance
        that the first made, whatever else has changed in it.
    :param labels: on everything that is made. Keys and values are of lower-case letters, digits,
        hyphens and underscores, at most 63 characters; keys begin with a letter.
    :param startup_script: that the instance runs as its superuser when it starts (on some clouds at
        the first start only).
    """

    spec: LaunchSpec
    name: str
    token: str
    startup_script: str = field(repr=False)
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
