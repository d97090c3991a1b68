"""What metrics and logs in memory share: requests that meet faults."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from airflow_multicloud.adapters.batches import Prepared
from airflow_multicloud.adapters.tallies import Reason
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.testing.delivery_faults import (
    DeliveryCall,
    DeliveryFaultKind,
    DeliveryFaults,
)
from airflow_multicloud.testing.memory_cloud import NAME

T = TypeVar("T")


def carry_out(
    faults: DeliveryFaults, call: DeliveryCall, work: Callable[[], None], area: type[CloudError]
) -> None:
    """One request, which may meet a fault.

    :param work: what it does, when it is carried out.
    :param area: of the errors.
    :raises CloudError: as the fault says.
    """
    fault = faults.meet(call)
    if fault is None:
        work()
        return
    if fault.kind is DeliveryFaultKind.REFUSE:
        raise area(
            "the memory cloud refuses the request",
            kind=fault.error,
            cloud=NAME,
            code=str(fault.error),
        )
    if fault.kind is DeliveryFaultKind.LOSE_ANSWER:
        work()
    raise area("no answer came", kind=ErrorKind.UNAVAILABLE, cloud=NAME)


def write_batch(
    faults: DeliveryFaults,
    batch: Sequence[Prepared[T]],
    keep: Callable[[Prepared[T]], Reason | None],
    area: type[CloudError],
) -> Sequence[Reason | None]:
    """One request that writes; for each of the batch why it is not kept, if so.

    :param keep: keeps one.
    :raises CloudError: as :func:`carry_out`.
    """
    reasons: list[Reason | None] = []
    carry_out(
        faults,
        DeliveryCall.WRITE,
        lambda: reasons.extend(keep(one) for one in batch),
        area,
    )
    return reasons
