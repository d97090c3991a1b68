"""What a service behind the server is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.testing.local_clouds.aws.telemetry.checking import Unfit
from airflow_multicloud.testing.local_clouds.aws.telemetry.wire import Call, Refused
from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import SeededDeliveryFaults

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
    def faults(self) -> SeededDeliveryFaults:
        """What is planted."""
        ...

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """Operation → what answers it."""
        ...

    @property
    def writes(self) -> frozenset[str]:
        """The operations that faults of writing meet; those of reading meet the others."""
        ...

    @property
    def words(self) -> Words:
        """How it refuses."""
        ...
