"""What Compute Engine's errors mean: reasons of refused requests, and codes of failed operations.

Reasons of requests:
https://cloud.google.com/compute/docs/troubleshooting/troubleshooting-bulk-vm-creation and
https://cloud.google.com/compute/operations-quota; codes of operations:
https://cloud.google.com/compute/docs/troubleshooting/troubleshooting-vm-creation and
https://cloud.google.com/compute/docs/troubleshooting/troubleshooting-resource-availability.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from google.protobuf.json_format import ParseError

from airflow_multicloud.adapters.answers import malformed
from airflow_multicloud.adapters.errors import by_code
from airflow_multicloud.clouds.gcp import NAME, errors
from airflow_multicloud.clouds.gcp.errors import BASE, Meaning, Refusal
from airflow_multicloud.errors import DeploymentError, ErrorKind

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLE = BASE.overlay(
    by_code(
        {
            # A subnet without a free address is another zone's or region's not.
            ErrorKind.CAPACITY: (
                "insufficientCapacity IP_SPACE_EXHAUSTED IP_SPACE_EXHAUSTED_WITH_DETAILS"
            ),
            # A size or a feature that the zone does not have.
            ErrorKind.UNSUPPORTED: "UNSUPPORTED_OPERATION",
            ErrorKind.THROTTLED: (
                "RESOURCE_OPERATION_RATE_EXCEEDED CONCURRENT_OPERATIONS_QUOTA_EXCEEDED"
            ),
            ErrorKind.NOT_FOUND: "notFound RESOURCE_NOT_FOUND",
            ErrorKind.ALREADY_EXISTS: "alreadyExists RESOURCE_ALREADY_EXISTS",
            ErrorKind.PERMISSION_DENIED: "PERMISSIONS_ERROR",
            # Another operation on the same resource goes on.
            ErrorKind.BUSY: (
                "RESOURCE_NOT_READY resourceInUseByAnotherResource "
                "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE"
            ),
            ErrorKind.UNAVAILABLE: "INTERNAL_ERROR SERVICE_UNAVAILABLE",
        }
    )
)

#: "Invalid value for field 'resource.machineType': '…'. Machine type with name 'f1-micro' does not
#: exist in zone 'europe-west8-a'." has the reason "invalid", as all that is wrong in a request.
_NOT_OFFERED = re.compile(r"[Mm]achine type with name '[^']*' does not exist in zone")


@dataclass(frozen=True, slots=True)
class Failure:
    """What an operation ended with.

    :param code: Google's.
    """

    kind: ErrorKind
    code: str
    text: str


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn the exceptions of Compute Engine and of the way there into this package's.

    :param doing: the call and what it was about, for the message.
    :raises DeploymentError: with the cause's kind.
    """
    with errors.translated(doing, table=TABLE, area=DeploymentError, refine=_refined):
        try:
            yield
        except ParseError as err:  # the client library lets it through
            raise malformed(doing, NAME, err, area=DeploymentError) from err


def failure_of(code: str, text: str, status: int) -> Failure:
    """What an operation's first error means.

    :param status: of HTTP, which the operation gives beside it; 0 for none.
    """
    kind = TABLE.kind_of_code(code) or TABLE.kind_of(None, status) or ErrorKind.UNAVAILABLE
    if _NOT_OFFERED.search(text):
        kind = ErrorKind.UNSUPPORTED
    return Failure(kind, code, text or code)


def wrong(
    parameter: str, why: str, kind: ErrorKind = ErrorKind.INVALID_ARGUMENT
) -> DeploymentError:
    """The error for a parameter that is of no use."""
    return DeploymentError(f"{parameter}: {why}", kind=kind, cloud=NAME)


def _refined(refusal: Refusal, meaning: Meaning) -> Meaning:
    if _NOT_OFFERED.search(refusal.text):
        return replace(meaning, kind=ErrorKind.UNSUPPORTED)
    return meaning
