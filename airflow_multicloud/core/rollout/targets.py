"""What is to be deployed where, as it is given: checked when it is constructed.

An instance of these is as it can be used; what its cloud says of it comes with the plan.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Self

from airflow_multicloud.core.rollout.inputs import (
    fields_of,
    flag,
    member,
    place_name,
    place_names,
    refused,
    text,
    text_list,
    whole_number,
)
from airflow_multicloud.core.rollout.names import check_id
from airflow_multicloud.core.rollout.places import check_artifacts
from airflow_multicloud.errors import DeploymentError
from airflow_multicloud.lists import elements
from airflow_multicloud.ports.compute import Architecture, LaunchRequest, Network, SizeNeed

_GIB = 2**30
#: Beyond what any cloud has: the largest machines have some 2,000 processors and 32 TiB of memory,
#: the largest disks 64 TiB.
_MOST_VCPUS = 10_000
_MOST_MEMORY = 128 * 2**40
_MOST_DISK = 128 * 2**40
_MOST_ALTERNATIVES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """Where else a target's instances may be made; what is left out is as the target has it.

    :param zones: an alternative in another region has none unless they are given.
    """

    region: str | None = None
    zones: tuple[str, ...] = ()
    size: str | SizeNeed | None = None
    network: Network | None = None
    image: str | None = None
    artifacts: str | None = None
    resource_group: str | None = None

    def __post_init__(self) -> None:
        """Take plain values as they are given.

        :raises DeploymentError: ``invalid_argument``.
        """
        if not any(getattr(self, field.name) for field in fields(self)):
            raise refused("fields", None, "at least one that differs from the target's")
        _set(self, zones=place_names("zones", self.zones))
        if self.region is not None:
            place_name("region", self.region)
        for name in ("image", "resource_group"):
            if (given := getattr(self, name)) is not None:
                text(name, given)
        if self.artifacts is not None:
            check_artifacts(self.artifacts, "artifacts")
        if self.size is not None:
            _set(self, size=_size(self.size))
        if self.network is not None:
            _set(self, network=_network(self.network))


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """One place and size in which a target's instances may be made, before it is looked up."""

    request: LaunchRequest
    artifacts: str

    def __str__(self) -> str:
        """Where, for a message."""
        place = self.request.zone or self.request.region
        size = self.request.size
        return f"{place}, {size if isinstance(size, str) else 'size by need'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where some instances of a deployment are to run.

    :param name: of this target, the same in every run of the deployment.
    :param conn_id: the Airflow connection of its cloud.
    :param region: in which, by the cloud's own name.
    :param size: a size's name, or what is needed; a mapping may say ``memory_gib``.
    :param network: where the instances are attached; it must be there.
    :param artifacts: the URI of a prefix near it, under which the artifact is put.
    :param zones: in the order in which they are tried; none leaves it to the cloud.
    :param image: the cloud's current Linux when left out.
    :param architecture: of the image and the size.
    :param identity: what the instances may act as.
    :param disk_bytes: of the boot disk; the image's own size when left out.
    :param resource_group: Azure: where they are made.
    :param count: how many instances.
    :param alternatives: what is tried, in order, when no zone has capacity or quota.
    :param required: whether the rollout has failed when this target has.
    :param account_id: the account (project, subscription) that the connection must lead to.
    """

    name: str
    conn_id: str
    region: str
    size: str | SizeNeed
    network: Network
    artifacts: str
    zones: tuple[str, ...] = ()
    image: str | None = None
    architecture: Architecture = Architecture.X86_64
    identity: str | None = None
    disk_bytes: int | None = None
    resource_group: str | None = None
    count: int = 1
    alternatives: tuple[Alternative, ...] = ()
    required: bool = False
    account_id: str | None = None

    def __post_init__(self) -> None:
        """Take plain values as they are given.

        :raises DeploymentError: ``invalid_argument``, naming the target and the parameter.
        """
        check_id(text("targets: name", self.name), "targets: name")
        try:
            self._check()
        except DeploymentError as err:
            raise err.with_context(f"target {self.name}") from err

    def _check(self) -> None:
        text("conn_id", self.conn_id)
        place_name("region", self.region)
        for name in ("image", "identity", "resource_group", "account_id"):
            if (given := getattr(self, name)) is not None:
                text(name, given)
        if self.disk_bytes is not None:
            whole_number("disk_bytes", self.disk_bytes, 1, _MOST_DISK)
        whole_number("count", self.count, 1)
        flag("required", self.required)
        _set(
            self,
            artifacts=check_artifacts(self.artifacts, "artifacts"),
            size=_size(self.size),
            network=_network(self.network),
            zones=place_names("zones", self.zones),
            architecture=member("architecture", Architecture, self.architecture),
            alternatives=_alternatives(self.alternatives),
        )

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """A target from a document of plain values: this class's fields by name.

        :raises DeploymentError: ``invalid_argument``, naming what is unknown, missing or wrong.
        """
        name = given.get("name") if isinstance(given, Mapping) else None
        return cls(**fields_of(cls, given, f"target {name}" if name else "targets"))

    def prospects(self) -> tuple[Prospect, ...]:
        """Every place and size, in the order in which they are tried."""
        found = list(_in_zones(self))
        for other in self.alternatives:
            zones = other.zones
            if not zones and other.region in (None, self.region):
                zones = self.zones
            found += _in_zones(
                replace(
                    self,
                    region=other.region or self.region,
                    zones=zones,
                    size=other.size or self.size,
                    network=other.network or self.network,
                    image=other.image or self.image,
                    artifacts=other.artifacts or self.artifacts,
                    resource_group=other.resource_group or self.resource_group,
                )
            )
        return tuple(found)

    def places(self) -> tuple[str, ...]:
        """The URIs of all prefixes that the artifact is put under for it, each once."""
        return tuple(dict.fromkeys(one.artifacts for one in self.prospects()))


def read_targets(given: object) -> tuple[Target, ...]:
    """Targets from a list of documents, or the text of one in JSON.

    :raises DeploymentError: ``invalid_argument``, naming what can't be read.
    """
    what = "targets, each a mapping of its fields"
    found: tuple[Any, ...] = elements(
        given, "targets", Target, Mapping, what=what, error=DeploymentError
    )
    return tuple(one if isinstance(one, Target) else Target.of(one) for one in found)


def _in_zones(target: Target) -> tuple[Prospect, ...]:
    return tuple(
        Prospect(
            request=LaunchRequest(
                region=target.region,
                network=target.network,
                size=target.size,
                zone=zone,
                image=target.image,
                architecture=target.architecture,
                identity=target.identity,
                disk_bytes=target.disk_bytes,
                resource_group=target.resource_group,
            ),
            artifacts=target.artifacts,
        )
        for zone in target.zones or (None,)
    )


def _alternatives(given: object) -> tuple[Alternative, ...]:
    if given is None:
        return ()
    if isinstance(given, Alternative | Mapping):
        given = [given]
    if not isinstance(given, list | tuple) or len(given) > _MOST_ALTERNATIVES:
        allowed = f"a list of at most {_MOST_ALTERNATIVES} alternatives"
        raise refused("alternatives", given, allowed)
    found = []
    for number, one in enumerate(given):
        parameter = f"alternatives[{number}]"
        try:
            found.append(
                one
                if isinstance(one, Alternative)
                else Alternative(**fields_of(Alternative, one, "fields"))
            )
        except DeploymentError as err:
            raise err.with_context(parameter) from err
    return tuple(found)


def _size(given: object) -> str | SizeNeed:
    if isinstance(given, str):
        return text("size", given)
    found: Any = given
    if isinstance(given, Mapping):
        values = dict(given)
        if "memory_gib" in values:
            gib = values.pop("memory_gib")
            if (
                "memory_bytes" in values
                or isinstance(gib, bool)
                or not isinstance(gib, int | float)
                or not math.isfinite(gib)
            ):
                raise refused("size: memory_gib", gib, "a number, and no memory_bytes beside it")
            values["memory_bytes"] = round(gib * _GIB)
        found = SizeNeed(**fields_of(SizeNeed, values, "size"))
    if not isinstance(found, SizeNeed):
        raise refused("size", given, "a size's name, or vcpus and memory_gib")
    whole_number("size: vcpus", found.vcpus, 1, _MOST_VCPUS)
    whole_number("size: memory_bytes", found.memory_bytes, 1, _MOST_MEMORY)
    return found


def _network(given: object) -> Network:
    found: Any = given
    if isinstance(given, Mapping):
        found = Network(**fields_of(Network, given, "network"))
    if not isinstance(found, Network):
        raise refused("network", given, "a mapping with subnets")
    subnets = text_list("network: subnets", found.subnets)
    if not subnets:
        raise refused("network: subnets", None, "at least one subnet")
    return Network(
        subnets=subnets,
        security_groups=text_list("network: security_groups", found.security_groups),
        public_address=flag("network: public_address", found.public_address),
    )


def _set(of: object, **values: object) -> None:
    for name, value in values.items():
        object.__setattr__(of, name, value)
