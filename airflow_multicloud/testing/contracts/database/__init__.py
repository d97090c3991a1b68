"""What every database hook must do; the accounts it runs against are its rigs."""

import pytest

for _module in ("describing", "snapshots", "restoring", "changing", "places", "faults"):
    pytest.register_assert_rewrite(f"{__name__}.{_module}")

# After the lines above: what is imported before them is not rewritten.
from airflow_multicloud.testing.contracts.database.changing import (  # noqa: E402
    PowerContract,
    RemoveContract,
    ReplicaContract,
)
from airflow_multicloud.testing.contracts.database.describing import (  # noqa: E402
    DescribeContract,
    ListContract,
    RefusedCredentialsContract,
)
from airflow_multicloud.testing.contracts.database.faults import FaultContract  # noqa: E402
from airflow_multicloud.testing.contracts.database.places import PlaceContract  # noqa: E402
from airflow_multicloud.testing.contracts.database.restoring import RestoreContract  # noqa: E402
from airflow_multicloud.testing.contracts.database.snapshots import SnapshotContract  # noqa: E402

__all__ = [
    "DescribeContract",
    "FaultContract",
    "ListContract",
    "PlaceContract",
    "PowerContract",
    "RefusedCredentialsContract",
    "RemoveContract",
    "ReplicaContract",
    "RestoreContract",
    "SnapshotContract",
]
