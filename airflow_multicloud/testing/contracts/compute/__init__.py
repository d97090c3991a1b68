"""What every compute hook must do; the accounts it runs against are its rigs."""

import pytest

for _module in ("resolving", "launching", "listing", "ending", "faults"):
    pytest.register_assert_rewrite(f"{__name__}.{_module}")

# After the lines above: what is imported before them is not rewritten.
from airflow_multicloud.testing.contracts.compute.ending import (  # noqa: E402
    ConsoleContract,
    PowerContract,
    TerminateContract,
)
from airflow_multicloud.testing.contracts.compute.faults import FaultContract  # noqa: E402
from airflow_multicloud.testing.contracts.compute.launching import (  # noqa: E402
    IdempotencyContract,
    LaunchContract,
)
from airflow_multicloud.testing.contracts.compute.listing import LabelContract, ListContract  # noqa: E402
from airflow_multicloud.testing.contracts.compute.resolving import ResolveContract  # noqa: E402

__all__ = [
    "ConsoleContract",
    "FaultContract",
    "IdempotencyContract",
    "LabelContract",
    "LaunchContract",
    "ListContract",
    "PowerContract",
    "ResolveContract",
    "TerminateContract",
]
