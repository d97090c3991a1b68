"""Instances as they are: one by its id, or all that carry labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.adapters.pools import map_in_context
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.compute.client import ComputeBase
from airflow_multicloud.clouds.aws.compute.errors import failure, translated
from airflow_multicloud.clouds.aws.compute.fields import (
    NAME_TAG,
    instance_of,
    is_instance,
    part_of,
    rows_of,
    tag_filters,
    tags_of,
)
from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.labels import DEPLOYMENT_LABEL
from airflow_multicloud.ports.compute import Instance, InstanceRef

_PAGE = {"PageSize": 200}
_THREADS = 8
# An answer of a service control policy has a kilobyte of encoded reasons.
_SHOWN = 300
_THERE = ("pending", "running", "stopping", "stopped", "shutting-down")
# What the list of one kind of part is asked for by, and the name that filters give its id.
_PARTS = (
    ("describe_volumes", "Volumes", "VolumeId", "volume-id"),
    (
        "describe_network_interfaces",
        "NetworkInterfaces",
        "NetworkInterfaceId",
        "network-interface-id",
    ),
)


class Listings(ComputeBase):
    """The port's ``describe_instance`` and ``list_instances``."""

    def describe_instance(self, ref: InstanceRef) -> Instance:
        """The instance as it is now; see the port."""
        if not is_instance(ref):
            return self._lone_part(ref)
        item, owner = self._described(ref)
        with well_formed(f"describing {ref.id}", NAME, area=DeploymentError):
            return instance_of(item, owner, ref.region)

    def list_instances(
        self, labels: Mapping[str, str | None], region: str | None = None
    ) -> Iterator[Instance]:
        """Everything that carries these labels, also volumes and interfaces alone; see the port.

        A part that is attached belongs to its instance, and one that is being made or deleted is
        not listed.
        """
        if not labels:
            raise failure("labels: none given, expected at least one", ErrorKind.INVALID_ARGUMENT)
        if region is not None:
            yield from self._listed(labels, region)
            return
        self._own_account()  # says which connection it is whose credentials are refused
        regions = self._usable_regions()
        with ThreadPoolExecutor(_THREADS) as pool:
            answers = map_in_context(pool, lambda one: self._listed_or_error(labels, one), regions)
        failed = {
            region: answer
            for region, answer in zip(regions, answers, strict=True)
            if isinstance(answer, DeploymentError)
        }
        if failed:
            raise _partly_listed(failed, len(regions))
        for answer in answers:
            if not isinstance(answer, DeploymentError):
                yield from answer

    def _listed_or_error(
        self, labels: Mapping[str, str | None], region: str
    ) -> list[Instance] | DeploymentError:
        try:
            return self._listed(labels, region)
        except DeploymentError as err:
            return err

    def _listed(self, labels: Mapping[str, str | None], region: str) -> list[Instance]:
        doing = f"listing the instances of {region}"
        client, filters = self._client_of("ec2", region), tag_filters(labels)
        with translated(doing):
            pages = client.get_paginator("describe_instances").paginate(
                Filters=[*filters, {"Name": "instance-state-name", "Values": list(_THERE)}],
                PaginationConfig=_PAGE,
            )
            reservations = rows_of(pages, "Reservations")
            parts = self._parts(region, [*filters, _ALONE])
        account_id = self._own_account()
        with well_formed(doing, NAME, area=DeploymentError):
            return [
                instance_of(item, reservation["OwnerId"], region)
                for reservation in reservations
                for item in reservation["Instances"]
            ] + [part_of(part, account_id, region) for part in parts]

    def _described(self, ref: InstanceRef) -> tuple[dict[str, Any], str]:
        """What EC2 says of an instance, and its account.

        :raises DeploymentError: ``not_found``, also for some seconds after a launch: "Eventual
            consistency in the Amazon EC2 API"
            (docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html).
        """
        doing = f"describing {ref.id} in {ref.region}"
        with translated(doing):
            client = self._client_of("ec2", ref.region)
            answer = client.describe_instances(InstanceIds=[ref.id])
        with well_formed(doing, NAME, area=DeploymentError):
            for reservation in answer["Reservations"]:
                for item in reservation["Instances"]:
                    return item, reservation["OwnerId"]
        raise failure(f"{doing}: there is none", ErrorKind.NOT_FOUND)

    def _parts(self, region: str, filters: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Volumes and network interfaces that filters of both fit."""
        client = self._client_of("ec2", region)
        return [
            part
            for operation, key, _, _ in _PARTS
            for part in rows_of(
                client.get_paginator(operation).paginate(Filters=filters, PaginationConfig=_PAGE),
                key,
            )
        ]

    def _attached(self, item: Mapping[str, Any], region: str) -> list[str]:
        """The ids of the volumes and interfaces that an instance was launched with.

        They have its name; what somebody attached later has another. Those that are no more of its
        deployment, by their tag, are left alone: policies allow what has that tag only, and a
        request about several resources is refused as a whole.
        """
        of_it = {"Name": "attachment.instance-id", "Values": [item["InstanceId"]]}
        tags = tags_of(item)
        name, owner = tags.get(NAME_TAG), tags.get(DEPLOYMENT_LABEL)
        doing = f"describing the parts of {item['InstanceId']} in {region}"
        with translated(doing):
            parts = self._parts(region, [of_it])
        with well_formed(doing, NAME, area=DeploymentError):
            named = {
                str(part.get("VolumeId") or part["NetworkInterfaceId"]): tags_of(part)
                for part in parts
                if name is not None and tags_of(part).get(NAME_TAG) == name
            }
        for part_id, told in named.items():
            if told.get(DEPLOYMENT_LABEL) != owner:
                self.log.warning(
                    "%s in %s is left as it is: it was launched with %s, whose tag %s is %r, and "
                    "has %r; put the tag back",
                    *(part_id, region, item["InstanceId"], DEPLOYMENT_LABEL, owner),
                    told.get(DEPLOYMENT_LABEL),
                )
        return [part_id for part_id, told in named.items() if told.get(DEPLOYMENT_LABEL) == owner]

    def _left_of(self, parts: list[str], region: str) -> list[dict[str, Any]]:
        """Those of these volumes and interfaces that are still there."""
        left: list[dict[str, Any]] = []
        client = self._client_of("ec2", region)
        for operation, key, id_key, filter_name in _PARTS:
            kind = "vol-" if id_key == "VolumeId" else "eni-"
            ids = [part for part in parts if part.startswith(kind)]
            if ids:
                with translated(f"looking for {', '.join(ids)} in {region}"):
                    by_id = [{"Name": filter_name, "Values": ids}]
                    left += rows_of([getattr(client, operation)(Filters=by_id)], key)
        return left

    def _lone_part(self, ref: InstanceRef) -> Instance:
        left = self._left_of([ref.id], ref.region)
        if not left:
            raise failure(f"there is no {ref.id} in {ref.region}", ErrorKind.NOT_FOUND)
        with well_formed(f"describing {ref.id}", NAME, area=DeploymentError):
            return part_of(left[0], self._own_account(), ref.region)


# Neither attached nor on the way to it.
_ALONE = {"Name": "status", "Values": ["available"]}


def _partly_listed(failed: Mapping[str, DeploymentError], asked: int) -> DeploymentError:
    """Some regions could not be asked, so that what is there is unknown.

    A service control policy may deny all but a few regions, say.

    :param failed: region → why.
    :param asked: how many regions were asked.
    """
    first = next(iter(failed.values()))
    return DeploymentError(
        f"listing instances: {len(failed)} of {asked} regions could not be asked: "
        f"{', '.join(failed)}; name the regions to look in (regions, --region) to leave them out. "
        f"The first said: {str(first)[:_SHOWN]}",
        kind=first.kind,
        cloud=NAME,
        code=first.code,
    )
