"""Instances: https://cloud.google.com/compute/docs/reference/rest/v1/instances."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from airflow_multicloud.testing.local_clouds.gcp.compute.catalogue import ZONES, region_of
from airflow_multicloud.testing.local_clouds.gcp.compute.disks import Disks
from airflow_multicloud.testing.local_clouds.gcp.compute.faults import ComputeEngineFaults
from airflow_multicloud.testing.local_clouds.gcp.compute.inserting import (
    Wanted,
    resource_of,
    wanted_of,
)
from airflow_multicloud.testing.local_clouds.gcp.compute.labels import changed
from airflow_multicloud.testing.local_clouds.gcp.compute.links import link, now, zone_path
from airflow_multicloud.testing.local_clouds.gcp.compute.operations import Operations, Work
from airflow_multicloud.testing.local_clouds.gcp.compute.pages import listed
from airflow_multicloud.testing.local_clouds.gcp.compute.refusals import (
    exists,
    invalid,
    not_found,
    not_ready,
)
from airflow_multicloud.testing.local_clouds.gcp.rest.strict import Call
from airflow_multicloud.testing.local_clouds.kit.machines import Machines
from airflow_multicloud.testing.machine_faults import FaultKind, MachineCall, MachineCase

Resource = dict[str, Any]


@dataclass(slots=True)
class Instance:
    """One instance.

    :param key: of its machine.
    """

    wanted: Wanted
    resource: Resource
    key: str

    @property
    def path(self) -> str:
        """Where it is."""
        return _path(self.wanted.zone, self.wanted.name)


class Instances:
    """The instances of the project; used under the engine's lock."""

    def __init__(
        self, machines: Machines, operations: Operations, disks: Disks, faults: ComputeEngineFaults
    ) -> None:
        self._machines = machines
        self._operations = operations
        self._disks = disks
        self._faults = faults
        self._kept: dict[tuple[str, str], Instance] = {}
        # Ending a machine takes as long as its processes do.
        self._pool = ThreadPoolExecutor(thread_name_prefix="ending")

    def settle(self) -> None:
        """Notice the machines that ended by themselves."""
        for instance in self._kept.values():
            if instance.resource["status"] != "RUNNING":
                continue
            if self._machines.has_gone_down(instance.key):
                _now_is(instance, "TERMINATED")

    def insert(self, call: Call) -> Resource:
        """Make one."""
        if (known := self._operations.known(call)) is not None:
            return known
        zone = call.parameters["zone"]
        if zone not in ZONES:
            raise not_found(zone_path(zone))
        wanted = wanted_of(zone, call.body)
        case = _case(MachineCall.LAUNCH, zone, wanted.name, wanted.machine_type)
        self._faults.check(case)
        if (zone, wanted.name) in self._kept:
            raise exists(_path(zone, wanted.name))
        self._disks.check_new(zone, wanted.disk_name, wanted.disk)
        error = self._faults.later(case)
        made = self._made(wanted)
        begun = self._operations.begin(
            call,
            Work(
                kind="insert",
                path=made.path,
                target=made.resource["id"],
                run=lambda: _now_is(made, "STAGING"),
                finish=(lambda: self._forget(made)) if error else (lambda: self._boot(made)),
                error=error,
            ),
        )
        self._faults.lose_answer(case)
        return begun

    def get(self, call: Call) -> Resource:
        """One instance."""
        return self._named(call, MachineCall.DESCRIBE).resource

    def list_zone(self, call: Call) -> Resource:
        """All of a zone."""
        zone = call.parameters["zone"]
        return listed(
            call, "instanceList", f"{zone_path(zone)}/instances", self.by_zone(call).get(zone, [])
        )

    def by_zone(self, _call: Call) -> dict[str, list[Resource]]:
        """Zone → its instances."""
        self._faults.check(MachineCase(call=MachineCall.LIST))
        found: dict[str, list[Resource]] = {zone: [] for zone in ZONES}
        for (zone, _), instance in self._kept.items():
            found[zone].append(instance.resource)
        return found

    def delete(self, call: Call) -> Resource:
        """Delete one, and its disk with it."""
        return self._ending(call, MachineCall.TERMINATE, self._forget)

    def stop(self, call: Call) -> Resource:
        """Stop one; its disk stays."""
        return self._ending(call, MachineCall.POWER, lambda found: _now_is(found, "TERMINATED"))

    def start(self, call: Call) -> Resource:
        """Start one that is stopped; one that runs is left as it is.

        :raises Refusal: when it is suspended, which is resumed instead.
        """
        if self._named(call).resource["status"] == "SUSPENDED":
            raise invalid("instance", call.parameters["instance"], "It is suspended.")
        return self._booting(call)

    def suspend(self, call: Call) -> Resource:
        """Suspend one."""
        return self._ending(call, MachineCall.POWER, lambda found: _now_is(found, "SUSPENDED"))

    def resume(self, call: Call) -> Resource:
        """Have one go on; here its script runs again.

        :raises Refusal: when it is not suspended.
        """
        if self._named(call).resource["status"] != "SUSPENDED":
            raise invalid("instance", call.parameters["instance"], "It is not suspended.")
        return self._booting(call)

    def _booting(self, call: Call) -> Resource:
        return self._work(
            call,
            MachineCall.POWER,
            begin=lambda found: _now_is(found, "STAGING"),
            finish=self._boot,
        )

    def set_labels(self, call: Call) -> Resource:
        """Change one's labels."""
        if (known := self._operations.known(call)) is not None:
            return known
        instance = self._named(call)
        instance.resource = changed(instance.resource, call.body)
        work = Work(
            kind="setLabels",
            path=instance.path,
            target=instance.resource["id"],
            finish=lambda: None,
        )
        return self._operations.begin(call, work)

    def serial_port(self, call: Call) -> Resource:
        """What one wrote to its first serial port."""
        instance = self._named(call)
        text = self._machines.console(instance.key)
        return {
            "kind": "compute#serialPortOutput",
            "selfLink": link(f"{instance.path}/serialPort"),
            "contents": text,
            "start": "0",
            "next": str(len(text.encode())),
        }

    def _ending(
        self, call: Call, about: MachineCall, finish: Callable[[Instance], None]
    ) -> Resource:
        ended: list[Future[None]] = []

        def begin(instance: Instance) -> None:
            _now_is(instance, "STOPPING")
            ended.append(self._pool.submit(self._machines.shut_down, instance.key))

        return self._work(
            call, about, begin=begin, finish=finish, ready=lambda: all(f.done() for f in ended)
        )

    def _work(
        self,
        call: Call,
        about: MachineCall,
        *,
        begin: Callable[[Instance], None],
        finish: Callable[[Instance], None],
        ready: Callable[[], bool] = lambda: True,
    ) -> Resource:
        if (known := self._operations.known(call)) is not None:
            return known
        instance = self._named(call, about)
        if self._operations.on(instance.path):
            raise not_ready(instance.path)
        begin(instance)
        begun = self._operations.begin(
            call,
            Work(
                kind=call.method.rpartition(".")[2],
                path=instance.path,
                target=instance.resource["id"],
                finish=lambda: finish(instance),
                ready=ready,
            ),
        )
        self._faults.lose_answer(self._case_of(instance, about))
        return begun

    def _made(self, wanted: Wanted) -> Instance:
        key = f"{wanted.zone}-{wanted.name}-{wanted.number}"
        resource = resource_of(wanted, self._machines.address(key))
        users = [resource["selfLink"]]
        source = self._disks.make(wanted.zone, wanted.disk_name, wanted.disk, users)
        resource["disks"][0]["source"] = source
        made = Instance(wanted, resource, key)
        self._kept[wanted.zone, wanted.name] = made
        return made

    def _boot(self, instance: Instance) -> None:
        case = self._case_of(instance, MachineCall.LAUNCH)
        meet = self._faults.meet
        slow, dies = meet(FaultKind.SLOW_BOOT, case), meet(FaultKind.DIE, case)
        script = instance.wanted.script
        self._machines.boot(
            instance.key,
            script.encode(),
            delay=slow.seconds if slow else 0.0,
            runs_script=bool(script) and meet(FaultKind.NO_BOOT, case) is None,
            dies_after=dies.seconds if dies else None,
        )
        _now_is(instance, "RUNNING")

    def _forget(self, instance: Instance) -> None:
        wanted = instance.wanted
        self._machines.remove(instance.key)
        self._kept.pop((wanted.zone, wanted.name), None)
        if wanted.auto_delete:
            self._disks.remove(wanted.zone, wanted.disk_name)
        else:
            self._disks.leave(wanted.zone, wanted.disk_name)

    def _named(self, call: Call, about: MachineCall | None = None) -> Instance:
        """The instance of a call.

        :raises Refusal: when there is none, or a fault says so.
        """
        zone, name = call.parameters["zone"], call.parameters["instance"]
        instance = self._kept.get((zone, name))
        if instance is None:
            raise not_found(_path(zone, name))
        if about is not None:
            self._faults.check(self._case_of(instance, about))
        return instance

    def _case_of(self, instance: Instance, about: MachineCall) -> MachineCase:
        wanted = instance.wanted
        return _case(about, wanted.zone, wanted.name, wanted.machine_type)


def _case(about: MachineCall, zone: str, name: str, size: str) -> MachineCase:
    return MachineCase(call=about, name=name, region=region_of(zone), zone=zone, size=size)


def _path(zone: str, name: str) -> str:
    return f"{zone_path(zone)}/instances/{name}"


def _now_is(instance: Instance, status: str) -> None:
    """Google tells of the last start and stop, too."""
    instance.resource["status"] = status
    if status == "RUNNING":
        instance.resource["lastStartTimestamp"] = now()
    elif status == "TERMINATED":
        instance.resource["lastStopTimestamp"] = now()
