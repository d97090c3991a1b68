"""What a service behind the server is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.testing.delivery_faults import DeliveryCall, DeliveryFaultKind
from airflow_multicloud.testing.local_clouds.aws.telemetry.checking import Unfit
from airflow_multicloud.testing.local_clouds.aws.telemetry.wire import Call, Refused
from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import (
    SeededDeliveryFaults,
    lose,
    meet,
)

Handler = Callable[[Call], Mapping[str, Any]]


class Words(Protocol):
    """A service's refusals: a module's functions."""

    def refusal(self, kind: ErrorKind) -> Refused:
        """Of all requests."""
        ...

    def stranger(self, problem: str) -> Refused:
        """Of a caller; see ``Signed``."""
        ...

    def unfit(self, found: Unfit) -> Refused:
        """Of a request that the model does not know."""
        ...


class Service(Protocol):
    """Operations, and how they are refused.

    What operations are not in ``handlers``, moto answers.
    """

    @property
    def boto_name(self) -> str:
        """As boto3 names it."""
        ...

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """Operation → what answers it."""
        ...

    @property
    def words(self) -> Words:
        """How it refuses."""
        ...

    def carry_out(self, call: Call, handler: Handler) -> Mapping[str, Any]:
        """What a handler says, unless a fault meets the request."""
        ...


class DeliveryService:
    """What services that metrics and logs are delivered to share: faults.

    :param faults: what is planted.
    """

    #: The operations that faults of writing meet; those of reading meet the others.
    writes: frozenset[str]
    words: Words

    def __init__(self, faults: SeededDeliveryFaults) -> None:
        self.faults = faults

    def carry_out(self, call: Call, handler: Handler) -> Mapping[str, Any]:
        """What a handler says, unless a fault meets the request."""
        kind = DeliveryCall.WRITE if call.operation in self.writes else DeliveryCall.READ
        fault = meet(self.faults, kind)
        if fault is not None and fault.kind is DeliveryFaultKind.REFUSE:
            raise self.words.refusal(fault.error)
        answered = handler(call)
        lose(fault)
        return answered
