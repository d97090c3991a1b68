"""What every logs hook must do; the services it runs against are its rigs."""

import pytest

for _module in ("rigs", "entries", "faults"):
    pytest.register_assert_rewrite(f"{__name__}.{_module}")

# After the lines above: what is imported before them is not rewritten.
from airflow_multicloud.testing.contracts.logs.entries import (  # noqa: E402
    EntryContract,
    QueryContract,
)
from airflow_multicloud.testing.contracts.logs.faults import (  # noqa: E402
    FaultContract,
    RefusedCredentialsContract,
)

__all__ = ["EntryContract", "FaultContract", "QueryContract", "RefusedCredentialsContract"]
