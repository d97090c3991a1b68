"""What is kept: resources by id, and the operations that go on with them."""

from __future__ import annotations

import itertools
import re
import threading
import uuid
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from airflow_multicloud.testing.local_clouds.azure.arm import SUBSCRIPTION_ID
from airflow_multicloud.testing.local_clouds.azure.arm.http import Call, Refusal, conforming
from airflow_multicloud.testing.local_clouds.azure.compute.faults import Faults
from airflow_multicloud.testing.local_clouds.kit.http import Answer
from airflow_multicloud.testing.local_clouds.kit.machines import Machines

#: Items of a page.
PAGE = 3
Body = dict[str, Any]


def now() -> str:
    """The time as Azure writes it."""
    return datetime.now(UTC).isoformat()


@dataclass(slots=True, kw_only=True)
class Operation:
    """Something that goes on.

    :param looks: how many looks it takes until it is done.
    :param finish: what being done does; it gives the error's code and message, if any.
    :param output: the resource, which the operations of disks tell at their end.
    """

    looks: int
    finish: Callable[[], tuple[str, str] | None]
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    started: str = field(default_factory=now)
    ended: str | None = None
    status: str = "InProgress"
    error: tuple[str, str] | None = None
    output: Body | None = None

    def look(self) -> None:
        """One look more."""
        if self.ended is not None:
            return
        self.looks -= 1
        if self.looks <= 0:
            self.ended = now()
            self.error = self.finish()
            self.status = "Failed" if self.error else "Succeeded"

    def cancel(self, code: str, message: str) -> None:
        """End it: something else has been asked for."""
        if self.ended is None:
            self.ended, self.status, self.error = now(), "Canceled", (code, message)

    def document(self) -> Body:
        """As it is answered."""
        body: Body = {"startTime": self.started, "status": self.status, "name": self.id}
        if self.ended is not None:
            body["endTime"] = self.ended
            if self.output is not None:
                body["properties"] = {"output": self.output}
        if self.error is not None:
            body["error"] = {"code": self.error[0], "message": self.error[1]}
        return body


@dataclass(slots=True)
class World:
    """All that there is; whoever uses it holds its lock.

    :param groups: resource groups, in lower case.
    """

    machines: Machines
    faults: Faults
    groups: set[str] = field(default_factory=set)
    kept: dict[str, Body] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)
    pending: dict[str, Operation] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    lock: threading.RLock = field(default_factory=threading.RLock)

    def handler(self, handle: Callable[[Call], Answer]) -> Callable[[Call], Answer]:
        """What answers a request while nothing else changes, within what is there."""

        def handled(call: Call) -> Answer:
            with self.lock:
                check_scope(call, self.groups)
                return handle(call)

        return handled

    def remove(self, id_: str) -> None:
        """Forget a resource."""
        self.kept.pop(id_.lower(), None)

    def seen(self, id_: str) -> Body | None:
        """A resource, after one look at what goes on with it."""
        key = id_.lower()
        if (operation := self.pending.get(key)) is not None:
            operation.look()
        return self.kept.get(key)

    def required(self, call: Call) -> Body:
        """The resource that a request is about.

        :raises Refusal: 404.
        """
        id_ = resource_id(call)
        found = self.seen(id_)
        if found is None:
            raise not_found(id_)
        return found

    def begin(
        self, id_: str, looks: int, finish: Callable[[], tuple[str, str] | None]
    ) -> Operation:
        """Go on with a resource; what went on with it before is preempted."""
        if (before := self.pending.get(id_.lower())) is not None:
            before.cancel(
                "OperationPreempted",
                "The operation execution has been preempted by a more recent operation.",
            )
        operation = Operation(looks=looks, finish=finish)
        self.operations[operation.id] = operation
        self.pending[id_.lower()] = operation
        return operation

    def of_type(self, type_: str, group: str | None = None) -> list[Body]:
        """All resources of a type, after a look at each."""
        ids = [key for key, body in self.kept.items() if body["type"].lower() == type_.lower()]
        found = [self.seen(id_) for id_ in ids]
        within = "" if group is None else f"/resourcegroups/{group.lower()}/"
        return [body for body in found if body is not None and within in body["id"].lower()]


def check_scope(call: Call, groups: Container[str]) -> None:
    """Refuse another subscription, and a group that is not there.

    :param groups: that are there, in lower case.
    :raises Refusal: 404.
    """
    subscription = call.variables["subscription"]
    if subscription.lower() != SUBSCRIPTION_ID:
        raise Refusal(
            HTTPStatus.NOT_FOUND,
            "SubscriptionNotFound",
            f"The subscription '{subscription}' could not be found.",
        )
    group = call.variables.get("group")
    if group is not None and group.lower() not in groups:
        raise Refusal(
            HTTPStatus.NOT_FOUND,
            "ResourceGroupNotFound",
            f"Resource group '{group}' could not be found.",
        )


def resource_id(call: Call) -> str:
    """The id of the resource that a request's path is about, without an action's name."""
    path: str = call.request.path
    found = re.match(
        r"(/subscriptions/[^/]+/resourceGroups/[^/]+/providers/[^/]+/[^/]+/[^/]+)",
        path,
        re.IGNORECASE,
    )
    return found[1] if found else path


def not_found(id_: str) -> Refusal:
    """That a resource is not there, as Resource Manager says it."""
    parts = id_.split("/")
    named, group = "/".join(parts[6:]), parts[4]
    return Refusal(
        HTTPStatus.NOT_FOUND,
        "ResourceNotFound",
        f"The Resource '{named}' under resource group '{group}' was not found. For more details "
        "please go to https://aka.ms/ARMResourceNotFoundFix",
    )


def invalid_reference(id_: str, by: str) -> Refusal:
    """That what a body refers to is not there."""
    return Refusal(
        HTTPStatus.BAD_REQUEST,
        "InvalidResourceReference",
        f"Resource {id_} referenced by resource {by} was not found. Please make sure that the "
        "referenced resource exists, and that both resources are in the same region.",
    )


def listed(call: Call, model: type, items: Iterable[Body]) -> Answer:
    """A page of a list, whose link leads to the next."""
    all_ = [conforming(model, item).body for item in items]
    first = int(call.query.get("$skiptoken", 0))
    body: Body = {"value": all_[first : first + PAGE]}
    if first + PAGE < len(all_):
        link = {**call.query, "$skiptoken": str(first + PAGE)}
        body["nextLink"] = f"{call.origin}{call.request.path}?{urlencode(link, safe='$')}"
    return Answer(body=body)


def tracked(call: Call, type_: str, given: Mapping[str, Any]) -> Body:
    """A resource as it is first kept: what was given, and its name."""
    id_ = resource_id(call)
    return {**given, "id": id_, "name": id_.rpartition("/")[2], "type": type_}


def accepted(
    call: Call,
    provider: str,
    location: str,
    operation: Operation,
    *,
    kind: str = "operations",
) -> dict[str, str]:
    """The headers that lead to an operation."""
    version = call.query["api-version"]
    base = (
        f"{call.origin}/subscriptions/{SUBSCRIPTION_ID}/providers/{provider}/locations/{location}"
        f"/{kind}/{operation.id}"
    )
    return {
        "Azure-AsyncOperation": f"{base}?api-version={version}",
        "Location": f"{base}?monitor=true&api-version={version}",
    }
