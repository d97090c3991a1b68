"""What every metrics hook must do; the services it runs against are its rigs."""

import pytest

for _module in ("rigs", "instruments", "accounts"):
    pytest.register_assert_rewrite(f"{__name__}.{_module}")

# After the lines above: what is imported before them is not rewritten.
from airflow_multicloud.testing.contracts.metrics.accounts import (  # noqa: E402
    AccountContract,
    FaultContract,
    RefusedCredentialsContract,
)
from airflow_multicloud.testing.contracts.metrics.instruments import (  # noqa: E402
    InstrumentContract,
)

__all__ = ["AccountContract", "FaultContract", "InstrumentContract", "RefusedCredentialsContract"]
