"""What every secrets hook must do; the stores it runs against are its rigs."""

import pytest

for _module in ("naming", "reading", "writing", "races", "tagging", "removing", "hiding"):
    pytest.register_assert_rewrite(f"{__name__}.{_module}")

# After the lines above: what is imported before them is not rewritten.
from airflow_multicloud.testing.contracts.secrets.hiding import (  # noqa: E402
    RefusedCredentialsContract,
    SecrecyContract,
)
from airflow_multicloud.testing.contracts.secrets.naming import NameContract  # noqa: E402
from airflow_multicloud.testing.contracts.secrets.races import RaceContract  # noqa: E402
from airflow_multicloud.testing.contracts.secrets.reading import (  # noqa: E402
    ReadContract,
    VersionStateContract,
)
from airflow_multicloud.testing.contracts.secrets.removing import (  # noqa: E402
    RecoveryContract,
    RemoveContract,
)
from airflow_multicloud.testing.contracts.secrets.tagging import TagContract  # noqa: E402
from airflow_multicloud.testing.contracts.secrets.writing import WriteContract  # noqa: E402

__all__ = [
    "NameContract",
    "RaceContract",
    "ReadContract",
    "RecoveryContract",
    "RefusedCredentialsContract",
    "RemoveContract",
    "SecrecyContract",
    "TagContract",
    "VersionStateContract",
    "WriteContract",
]
