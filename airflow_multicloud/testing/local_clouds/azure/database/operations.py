"""Operations that go on, and where they can be asked for."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Protocol

from airflow_multicloud.testing.local_clouds.azure.arm import SUBSCRIPTION_ID
from airflow_multicloud.testing.local_clouds.azure.arm.http import Call, Refusal
from airflow_multicloud.testing.local_clouds.azure.compute.world import Body
from airflow_multicloud.testing.local_clouds.kit.http import Answer

PROVIDER = "Microsoft.DBforPostgreSQL"


class Changing(Protocol):
    """What an operation changes."""

    state: str

    @property
    def location(self) -> str:
        """Its region."""
        ...


@dataclass(slots=True, kw_only=True)
class Operation:
    """Something that goes on."""

    location: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    status: str = "InProgress"
    error: tuple[str, str] | None = None

    def document(self) -> Body:
        """As it is answered."""
        body: Body = {
            "name": self.id,
            "status": self.status,
            "startTime": self.started.isoformat(),
        }
        if self.error is not None:
            body["error"] = {"code": self.error[0], "message": self.error[1]}
        return body


@dataclass(frozen=True, slots=True)
class Paths:
    """Where a service's operations are.

    :param within: what is before the locations.
    :param asked: the name of an operation's path.
    :param results: likewise, of its result.
    """

    within: str
    asked: str
    results: str

    def headers(self, call: Call, operation: Operation) -> dict[str, str]:
        """The headers that lead to an operation."""
        version = call.query["api-version"]
        base = (
            f"{call.origin}/subscriptions/{SUBSCRIPTION_ID}/{self.within}"
            f"/locations/{operation.location}"
        )
        return {
            "Azure-AsyncOperation": f"{base}/{self.asked}/{operation.id}?api-version={version}",
            "Location": f"{base}/{self.results}/{operation.id}?api-version={version}",
        }


FLEXIBLE_SERVERS = Paths(f"providers/{PROVIDER}", "azureAsyncOperation", "operationResults")


def operation_of(operations: Mapping[str, Operation], call: Call) -> Answer:
    """How an operation is; 200 for both of its URLs.

    :raises Refusal: 404.
    """
    found = operations.get(call.variables["operation"])
    if found is None:
        raise Refusal(HTTPStatus.NOT_FOUND, "OperationNotFound", "The operation was not found.")
    return Answer(body=found.document())
