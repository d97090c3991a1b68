"""What every identity hook must do; the connections it runs against are its rigs."""

import pytest

pytest.register_assert_rewrite(f"{__name__}.principals")

# After the line above: what is imported before it is not rewritten.
from airflow_multicloud.testing.contracts.identity.principals import (  # noqa: E402
    IdentityContract,
    RefusedCredentialsContract,
)

__all__ = ["IdentityContract", "RefusedCredentialsContract"]
