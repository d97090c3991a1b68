"""What the tests of conservation share: faults that meet whole requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, example, settings
from hypothesis import strategies as st

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.testing.delivery_faults import REFUSALS, DeliveryFault, DeliveryFaultKind

Test = Callable[..., Any]

WHOLE_REQUESTS = st.builds(
    DeliveryFault,
    kind=st.sampled_from(
        [DeliveryFaultKind.REFUSE, DeliveryFaultKind.LOSE_ANSWER, DeliveryFaultKind.LOSE_REQUEST]
    ),
    error=st.sampled_from(REFUSALS),
    times=st.sampled_from([1, 2, 50]),
    after=st.integers(0, 4),
)


def conserved(test: Test) -> Test:
    """How such a test runs: with the faults that it is given, and some that have been missed."""
    for error in (ErrorKind.QUOTA, ErrorKind.THROTTLED, ErrorKind.PERMISSION_DENIED):
        test = example(faults=_lost_then(error), count=7)(test)
    return settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )(test)


def _lost_then(error: ErrorKind) -> list[DeliveryFault]:
    """The first try is carried out, and those after it are refused."""
    refused = DeliveryFault(kind=DeliveryFaultKind.REFUSE, error=error, times=50)
    return [DeliveryFault(kind=DeliveryFaultKind.LOSE_ANSWER), refused]
