"""The project's state, and which method of the API answers from which part of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from airflow_multicloud.testing.local_clouds.gcp import PROJECT
from airflow_multicloud.testing.local_clouds.gcp.compute import catalogue
from airflow_multicloud.testing.local_clouds.gcp.compute.disks import Disks
from airflow_multicloud.testing.local_clouds.gcp.compute.faults import (
    ComputeEngineFaults,
    unreachable_zones,
)
from airflow_multicloud.testing.local_clouds.gcp.compute.instances import Instances
from airflow_multicloud.testing.local_clouds.gcp.compute.operations import Operations
from airflow_multicloud.testing.local_clouds.gcp.compute.pages import aggregated, listed
from airflow_multicloud.testing.local_clouds.gcp.compute.refusals import not_found
from airflow_multicloud.testing.local_clouds.gcp.rest.strict import Call, Service
from airflow_multicloud.testing.local_clouds.kit.machines import Machines
from airflow_multicloud.testing.local_clouds.kit.state import State

Handler = Callable[[Call], Any]

#: Google's wait answers after two minutes at the latest.
_LONGEST_WAIT_S = 120.0
_POLL_S = 0.05


class Engine:
    """One project of Compute Engine.

    :param machines: what its instances run on.
    :param state: what the administration has said.
    """

    def __init__(self, machines: Machines, state: State) -> None:
        self._lock = threading.RLock()
        self._state = state
        self._operations = Operations()
        self._disks = Disks(self._operations)
        self._instances = Instances(
            machines, self._operations, self._disks, ComputeEngineFaults(state)
        )

    @property
    def service(self) -> Service:
        """The API."""
        handlers = {
            f"compute.{name}": self._one_at_a_time(handler)
            for name, handler in {**self._catalogue(), **self._resources()}.items()
        }
        handlers["compute.zoneOperations.wait"] = self._wait
        return Service("compute.v1", handlers)

    def _resources(self) -> Mapping[str, Handler]:
        instances, disks, operations = self._instances, self._disks, self._operations
        return {
            "instances.insert": instances.insert,
            "instances.get": instances.get,
            "instances.list": instances.list_zone,
            "instances.aggregatedList": self._aggregated_instances,
            "instances.delete": instances.delete,
            "instances.start": instances.start,
            "instances.stop": instances.stop,
            "instances.suspend": instances.suspend,
            "instances.resume": instances.resume,
            "instances.setLabels": instances.set_labels,
            "instances.getSerialPortOutput": instances.serial_port,
            "disks.get": disks.get,
            "disks.list": disks.list_zone,
            "disks.aggregatedList": self._aggregated_disks,
            "disks.delete": disks.delete,
            "disks.setLabels": disks.set_labels,
            "zoneOperations.get": operations.get,
            "zoneOperations.list": operations.list_zone,
            "zoneOperations.delete": operations.delete,
        }

    def _catalogue(self) -> Mapping[str, Handler]:
        return {
            "projects.get": lambda _: catalogue.project(),
            "regions.get": lambda call: _named(call, "regions", "region", _regions()),
            "regions.list": lambda call: listed(
                call, "regionList", f"projects/{PROJECT}/regions", _regions().values()
            ),
            "zones.get": lambda call: _named(call, "zones", "zone", _zones()),
            "zones.list": lambda call: listed(
                call, "zoneList", f"projects/{PROJECT}/zones", _zones().values()
            ),
            "machineTypes.get": lambda call: _named(
                call,
                f"zones/{_zone(call)}/machineTypes",
                "machineType",
                catalogue.machine_types(_zone(call)),
            ),
            "machineTypes.list": lambda call: listed(
                call,
                "machineTypeList",
                f"projects/{PROJECT}/zones/{_zone(call)}/machineTypes",
                catalogue.machine_types(_zone(call)).values(),
            ),
            "machineTypes.aggregatedList": lambda call: aggregated(
                call,
                "machineTypeAggregatedList",
                "machineTypes",
                {zone: list(catalogue.machine_types(zone).values()) for zone in catalogue.ZONES},
            ),
            "images.get": lambda call: _named(
                call, "global/images", "image", catalogue.images(call.parameters["project"])
            ),
            "images.getFromFamily": _of_family,
            "subnetworks.get": lambda call: _named(
                call,
                f"regions/{_region(call)}/subnetworks",
                "subnetwork",
                catalogue.subnetworks(_region(call)),
            ),
        }

    def _aggregated_instances(self, call: Call) -> dict[str, Any]:
        found = self._instances.by_zone(call)
        missed = unreachable_zones(self._state)
        return aggregated(call, "instanceAggregatedList", "instances", found, missed)

    def _aggregated_disks(self, call: Call) -> dict[str, Any]:
        missed = unreachable_zones(self._state)
        found = self._disks.by_zone()
        return aggregated(call, "diskAggregatedList", "disks", found, missed)

    def _one_at_a_time(self, handler: Handler) -> Handler:
        def handled(call: Call) -> Any:
            _check_project(call)
            with self._lock:
                self._settle()
                return handler(call)

        return handled

    def _wait(self, call: Call) -> Any:
        end = time.monotonic() + _LONGEST_WAIT_S
        while True:
            with self._lock:
                self._settle()
                found = self._operations.found(call)
                if found.is_done or time.monotonic() > end:
                    return found.resource()
            time.sleep(_POLL_S)

    def _settle(self) -> None:
        self._operations.settle()
        self._instances.settle()


def _check_project(call: Call) -> None:
    """Only images are of another project.

    :raises Refusal: for a project that is not there.
    """
    known = {PROJECT, *([catalogue.IMAGE_PROJECT] if ".images." in call.method else [])}
    if call.parameters["project"] not in known:
        raise not_found(f"projects/{call.parameters['project']}")


def _named(
    call: Call, collection: str, parameter: str, known: Mapping[str, dict[str, Any]]
) -> dict[str, Any]:
    name = call.parameters[parameter]
    if name not in known:
        raise not_found(f"projects/{call.parameters['project']}/{collection}/{name}")
    return known[name]


def _of_family(call: Call) -> dict[str, Any]:
    """The newest image of a family that is current."""
    family = call.parameters["family"]
    found = [
        image
        for image in catalogue.images(call.parameters["project"]).values()
        if image["family"] == family and "deprecated" not in image
    ]
    if not found:
        path = f"projects/{call.parameters['project']}/global/images/family/{family}"
        raise not_found(path)
    return max(found, key=lambda image: str(image["name"]))


def _regions() -> dict[str, dict[str, Any]]:
    return {name: catalogue.region(name) for name in catalogue.REGIONS}


def _zones() -> dict[str, dict[str, Any]]:
    return {name: catalogue.zone(name) for name in catalogue.ZONES}


def _zone(call: Call) -> str:
    zone: str = call.parameters["zone"]
    if zone not in catalogue.ZONES:
        raise not_found(f"projects/{PROJECT}/zones/{zone}")
    return zone


def _region(call: Call) -> str:
    region: str = call.parameters["region"]
    if region not in catalogue.REGIONS:
        raise not_found(f"projects/{PROJECT}/regions/{region}")
    return region
