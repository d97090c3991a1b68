"""Faults of secret stores, to be planted in the memory cloud and the local servers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.testing.planted_faults import PlantedFaults

#: What a store may say when it refuses a request.
REFUSALS = (
    ErrorKind.THROTTLED,
    ErrorKind.UNAVAILABLE,
    ErrorKind.PERMISSION_DENIED,
)

#: What another writer writes by a fault of kind ``MEANWHILE``.
MEANWHILE_VALUE = b"written meanwhile"


class SecretFaultKind(StrEnum):
    """What goes wrong."""

    #: The request is refused with ``error``, and nothing is done.
    REFUSE = "refuse"
    #: The request is carried out, but its answer never arrives: the connection ends.
    LOSE_ANSWER = "lose_answer"
    #: Before the request is carried out, another writer writes :data:`MEANWHILE_VALUE` as the
    #: current version, making the secret when it is not there.
    MEANWHILE = "meanwhile"
    #: The answer tells of the secret's first version only, unless another is asked for by its
    #: number; only of a store that may be behind for a while: Google Cloud's.
    STALE = "stale"


class SecretCall(StrEnum):
    """Which requests it meets; a call of the port may be several."""

    #: Of a value.
    READ = "read"
    #: Of a secret or its versions, without values.
    DESCRIBE = "describe"
    #: Of many secrets.
    LIST = "list"
    #: All that change a secret but those below.
    WRITE = "write"
    #: Removing, recovering and disabling.
    REMOVE = "remove"
    #: Of tags alone.
    TAG = "tag"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretFault:
    """One fault, met so many times.

    :param error: what the store says, in its own words; one of :data:`REFUSALS`.
    :param name: only for secrets whose name in the cloud contains this.
    :param times: how often; then it is over.
    :param after: how many such requests pass before the first that it meets.
    """

    kind: SecretFaultKind
    call: SecretCall = SecretCall.WRITE
    error: ErrorKind = ErrorKind.UNAVAILABLE
    name: str = ""
    times: int = 1
    after: int = 0


class SecretFaults(PlantedFaults[SecretFault]):
    """The faults that are planted; safe for many threads."""

    def meet(self, call: SecretCall, name: str = "") -> SecretFault | None:
        """What meets this request, if anything; to be asked once for each request.

        :param name: of its secret, as the cloud has it.
        """
        return self.met(lambda fault: fault.call is call and fault.name in name)
