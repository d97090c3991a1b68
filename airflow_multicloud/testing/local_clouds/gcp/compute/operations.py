"""Operations: what goes on after a request for it has been answered.

Each takes two looks, or some time: pending, running, done. How long Google remembers a request id
is not said anywhere; here it is for good, but not beyond the operation's own deletion.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from airflow_multicloud.testing.local_clouds.gcp.compute.faults import OperationError
from airflow_multicloud.testing.local_clouds.gcp.compute.links import (
    link,
    now,
    number_of,
    zone_path,
)
from airflow_multicloud.testing.local_clouds.gcp.compute.pages import listed
from airflow_multicloud.testing.local_clouds.gcp.compute.refusals import invalid, not_found
from airflow_multicloud.testing.local_clouds.gcp.rest.strict import Call

#: Looks, and seconds, until one is done.
_LOOKS = 2
_RUNNING_S, _DONE_S = 0.1, 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What an operation does.

    :param kind: ``insert``, ``delete``, ``stop`` …
    :param path: of what it is done to.
    :param target: number of what it is done to.
    :param finish: does it, when the operation is done.
    :param run: is told when it is running.
    :param ready: whether it may be done.
    :param error: what it ends with instead.
    """

    kind: str
    path: str
    target: str
    finish: Callable[[], None]
    run: Callable[[], None] = lambda: None
    ready: Callable[[], bool] = lambda: True
    error: OperationError | None = None


@dataclass(slots=True)
class Operation:
    """One operation.

    :param looks: how often it was looked at.
    """

    work: Work
    zone: str
    name: str
    number: str
    begun: float = field(default_factory=time.monotonic)
    begun_at: str = field(default_factory=now)
    ended_at: str = ""
    looks: int = 0
    status: str = "PENDING"

    @property
    def is_done(self) -> bool:
        """Whether it is over."""
        return self.status == "DONE"

    def settle(self) -> None:
        """Go on, as far as looks and time say."""
        age = time.monotonic() - self.begun
        if self.status == "PENDING" and (self.looks >= 1 or age >= _RUNNING_S):
            self.status = "RUNNING"
            self.work.run()
        due = self.looks >= _LOOKS or age >= _DONE_S
        if self.status == "RUNNING" and due and self.work.ready():
            self.status, self.ended_at = "DONE", now()
            self.work.finish()

    def resource(self) -> dict[str, Any]:
        """As Google tells it."""
        path = f"{zone_path(self.zone)}/operations/{self.name}"
        found: dict[str, Any] = {
            "kind": "compute#operation",
            "id": self.number,
            "name": self.name,
            "zone": link(zone_path(self.zone)),
            "operationType": self.work.kind,
            "targetLink": link(self.work.path),
            "targetId": self.work.target,
            "status": self.status,
            "user": "anonymous",
            "progress": {"PENDING": 0, "RUNNING": 50}.get(self.status, 100),
            "insertTime": self.begun_at,
            "startTime": self.begun_at,
            "selfLink": link(path),
        }
        if self.is_done:
            found["endTime"] = self.ended_at
        if self.is_done and (error := self.work.error) is not None:
            told = {"code": error.code, "message": error.message}
            found["error"] = {"errors": [told]}
            found["httpErrorStatusCode"] = error.status.value
            found["httpErrorMessage"] = error.status.phrase.upper()
        return found


class Operations:
    """The operations of the project; used under the engine's lock."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Operation] = {}
        self._by_request: dict[str, Operation] = {}

    def known(self, call: Call) -> dict[str, Any] | None:
        """The operation that the request id of a call has begun before.

        :raises Refusal: for an id that is no UUID, or that belongs to a request of another kind.
        """
        text = call.parameters.get("requestId")
        if text is None:
            return None
        try:
            given = uuid.UUID(text)
        except ValueError:
            given = uuid.UUID(int=0)
        if not given.int:
            raise invalid("requestId", text, "It must be a valid UUID that is not zero.")
        found = self._by_request.get(str(given))
        if found is None:
            return None
        if found.work.kind != call.method.rpartition(".")[2]:
            raise invalid("requestId", text, "It was used by a request of another kind.")
        return found.resource()

    def begin(self, call: Call, work: Work) -> dict[str, Any]:
        """Begin one."""
        text = uuid.uuid4().hex
        name = f"operation-{time.time_ns() // 1_000_000}-{text[:13]}-{text[13:21]}-{text[21:29]}"
        made = Operation(work, call.parameters["zone"], name, number_of(name))
        self._kept[made.zone, name] = made
        if (request := call.parameters.get("requestId")) is not None:
            self._by_request[str(uuid.UUID(request))] = made
        return made.resource()

    def on(self, path: str) -> bool:
        """Whether one on this resource goes on."""
        return any(
            not operation.is_done and operation.work.path == path
            for operation in self._kept.values()
        )

    def settle(self) -> None:
        """Have all go on."""
        for operation in list(self._kept.values()):
            operation.settle()

    def found(self, call: Call) -> Operation:
        """The operation that a call names.

        :raises Refusal: when there is none.
        """
        zone, name = call.parameters["zone"], call.parameters["operation"]
        found = self._kept.get((zone, name))
        if found is None:
            raise not_found(f"{zone_path(zone)}/operations/{name}")
        return found

    def get(self, call: Call) -> dict[str, Any]:
        """Look at one."""
        found = self.found(call)
        found.looks += 1
        found.settle()
        return found.resource()

    def list_zone(self, call: Call) -> dict[str, Any]:
        """All of a zone."""
        zone = call.parameters["zone"]
        here = [
            {**operation.resource(), "creationTimestamp": operation.begun_at}
            for (where, _), operation in self._kept.items()
            if where == zone
        ]
        return listed(call, "operationList", f"{zone_path(zone)}/operations", here)

    def delete(self, call: Call) -> dict[str, Any]:
        """Forget one that is done."""
        found = self.found(call)
        if not found.is_done:
            raise invalid("operation", found.name, "Only operations that are DONE can be deleted.")
        del self._kept[found.zone, found.name]
        self._by_request = {
            request: kept for request, kept in self._by_request.items() if kept is not found
        }
        return {}
