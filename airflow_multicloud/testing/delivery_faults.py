"""Faults of metric and log services, to be planted in the memory cloud and the local servers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.testing.planted_faults import PlantedFaults

#: What a service may say when it refuses a request.
REFUSALS = (
    ErrorKind.THROTTLED,
    ErrorKind.QUOTA,
    ErrorKind.UNAVAILABLE,
    ErrorKind.PERMISSION_DENIED,
    ErrorKind.UNAUTHENTICATED,
)


class DeliveryFaultKind(StrEnum):
    """What goes wrong."""

    #: Some records of a request are refused as the service refuses bad ones: each by itself where
    #: it can, else the whole request for as long as one of them is in it.
    REJECT = "reject"
    #: The request is refused with ``error``, and nothing is kept.
    REFUSE = "refuse"
    #: The request is carried out, but its answer never arrives: the connection ends.
    LOSE_ANSWER = "lose_answer"
    #: The request is not carried out, and the connection ends.
    LOSE_REQUEST = "lose_request"


class DeliveryCall(StrEnum):
    """Which requests it meets."""

    WRITE = "write"
    READ = "read"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFault:
    """One fault, met so many times.

    :param call: which requests it meets; two kinds go with ``write`` only.
    :param error: what the service says, in its own words; one of :data:`REFUSALS`.
    :param name: for ``REJECT``: which records, by a part of the metric's name or of the message.
    :param times: how many requests it meets, for ``REJECT`` without an end.
    :param after: how many requests pass before the first that it meets.
    """

    kind: DeliveryFaultKind
    call: DeliveryCall = DeliveryCall.WRITE
    error: ErrorKind = ErrorKind.UNAVAILABLE
    name: str = ""
    times: int = 1
    after: int = 0


class DeliveryFaults(PlantedFaults[DeliveryFault]):
    """The faults that are planted; safe for many threads."""

    def meet(self, call: DeliveryCall) -> DeliveryFault | None:
        """What meets this request as a whole, if anything; to be asked once for each request."""
        return self.met(
            lambda fault: fault.call is call and fault.kind is not DeliveryFaultKind.REJECT
        )

    def rejects(self, name: str) -> bool:
        """Whether a record is one of those that are refused.

        :param name: the metric's name, or the message.
        """
        return self.has(lambda fault: fault.kind is DeliveryFaultKind.REJECT and fault.name in name)
