"""The machines behind the instances: their states follow the processes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from airflow_multicloud.testing.local_clouds.aws.compute.account import (
    Account,
    set_address,
    set_state,
    state_of,
)
from airflow_multicloud.testing.local_clouds.kit.machines import Machines

# How long an instance that will fail is pending.
_FAILS_AFTER = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Boot:
    """How a machine comes up.

    :param script: its user data.
    :param delay: seconds until that runs.
    :param fails: the code and text of the reason that it never does.
    """

    script: bytes
    delay: float = 0.0
    runs_script: bool = True
    dies_after: float | None = None
    fails: tuple[str, str] | None = None


@dataclass(slots=True, kw_only=True)
class _Kept:
    """An instance that is not terminated.

    :param since: when its machine was turned on.
    :param ended: whether its machine is off, after it was turned off.
    """

    region: str
    boot: Boot
    since: float = field(default_factory=time.monotonic)
    ended: threading.Event = field(default_factory=threading.Event)


class Boots:
    """The machines of the account's instances; safe for many threads.

    :param account: whose.
    :param machines: the processes.
    """

    def __init__(self, account: Account, machines: Machines) -> None:
        self._account = account
        self._machines = machines
        self._kept: dict[str, _Kept] = {}
        self._lock = threading.RLock()

    def launch(self, region: str, instance_id: str, boot: Boot) -> None:
        """Boot a new instance."""
        with self._lock:
            instance = self._account.instance(region, instance_id)
            set_address(instance, self._machines.address(instance_id))
            self._kept[instance_id] = _Kept(region=region, boot=boot)
            self._turn_on(instance_id, instance)

    def start(self, instance_id: str) -> None:
        """Boot one that was stopped: the same script again."""
        with self._lock:
            kept = self._kept[instance_id]
            instance = self._account.instance(kept.region, instance_id)
            instance.start()
            # A fault of its first boot is over.
            kept.boot = Boot(script=kept.boot.script, runs_script=kept.boot.runs_script)
            self._turn_on(instance_id, instance)

    def stop(self, instance_id: str) -> None:
        """Turn one off."""
        with self._lock:
            kept = self._kept[instance_id]
            instance = self._account.instance(kept.region, instance_id)
            instance.stop()
            _end(kept, lambda: self._machines.shut_down(instance_id))
            reason = instance.state_reason
            set_state(instance, "stopping", code=reason.code, message=reason.message)

    def terminate(self, region: str, instance_id: str) -> None:
        """Take one away, with its volumes and interfaces; nothing to do for one that is gone."""
        with self._lock:
            kept = self._kept.get(instance_id)
            if kept is None or state_of(
                instance := self._account.instance(region, instance_id)
            ) in (
                "shutting-down",
                "terminated",
            ):
                return
            self._account.region(region).terminate_instances([instance_id])
            _end(kept, lambda: self._machines.remove(instance_id))
            reason = instance.state_reason
            set_state(instance, "shutting-down", code=reason.code, message=reason.message)

    def console(self, instance_id: str) -> str:
        """What one wrote."""
        return self._machines.console(instance_id)

    def follow(self) -> None:
        """Bring every instance to the state that its machine is in."""
        with self._lock:
            for instance_id, kept in list(self._kept.items()):
                self._follow(instance_id, kept)

    def _turn_on(self, instance_id: str, instance: Any) -> None:
        kept = self._kept[instance_id]
        kept.since = time.monotonic()
        set_state(instance, "pending")
        if kept.boot.fails is None:
            self._machines.boot(
                instance_id,
                kept.boot.script,
                delay=kept.boot.delay,
                runs_script=kept.boot.runs_script,
                dies_after=kept.boot.dies_after,
            )

    def _follow(self, instance_id: str, kept: _Kept) -> None:
        instance = self._account.instance(kept.region, instance_id)
        state = state_of(instance)
        reason = instance.state_reason
        if state == "stopping" and kept.ended.is_set():
            set_state(instance, "stopped", code=reason.code, message=reason.message)
        elif state == "shutting-down" and kept.ended.is_set():
            set_state(instance, "terminated", code=reason.code, message=reason.message)
            del self._kept[instance_id]
        elif state == "pending" and kept.boot.fails is not None:
            if time.monotonic() - kept.since > _FAILS_AFTER:
                self._fail(instance_id, instance, kept.boot.fails)
        elif state in ("pending", "running"):
            self._follow_machine(instance_id, instance)

    def _follow_machine(self, instance_id: str, instance: Any) -> None:
        if self._machines.is_up(instance_id):
            set_state(instance, "running")
        elif self._machines.has_gone_down(instance_id):
            instance.stop()
            text = "Client.InstanceInitiatedShutdown: Instance initiated shutdown"
            set_state(instance, "stopped", code=text.partition(":")[0], message=text)

    def _fail(self, instance_id: str, instance: Any, reason: tuple[str, str]) -> None:
        self._machines.remove(instance_id)
        self._account.region(instance.region_name).terminate_instances([instance_id])
        set_state(instance, "terminated", code=reason[0], message=reason[1])
        del self._kept[instance_id]


def _end(kept: _Kept, turn_off: Callable[[], None]) -> None:
    """Turn a machine off meanwhile: other instances are not kept waiting by it."""
    kept.ended = ended = threading.Event()

    def run() -> None:
        turn_off()
        ended.set()

    threading.Thread(target=run, daemon=True).start()
