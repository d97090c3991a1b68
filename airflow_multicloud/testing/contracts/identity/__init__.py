"""What every identity hook must do; the connections it runs against are its rigs."""

import pytest

pytest.register_assert_rewrite(
    *(f"{__name__}.{suite}" for suite in ("principals", "permissions", "tokens"))
)

# After the line above: what is imported before it is not rewritten.
from airflow_multicloud.testing.contracts.identity.permissions import (  # noqa: E402
    PermissionsContract,
)
from airflow_multicloud.testing.contracts.identity.principals import (  # noqa: E402
    IdentityContract,
    RefusedCredentialsContract,
)
from airflow_multicloud.testing.contracts.identity.tokens import (  # noqa: E402
    ScopedTokensContract,
)

__all__ = [
    "IdentityContract",
    "PermissionsContract",
    "RefusedCredentialsContract",
    "ScopedTokensContract",
]
