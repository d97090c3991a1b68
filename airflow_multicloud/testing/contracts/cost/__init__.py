"""What every cost hook must do; the exports it runs against are its rigs.

All contract classes can be imported from here; ``rigs`` has the rest.
"""

import pytest

pytest.register_assert_rewrite(*(f"{__name__}.{module}" for module in ("capabilities", "exports")))

# After the line above: what is imported before it is not rewritten.
from airflow_multicloud.testing.contracts.cost.capabilities import (  # noqa: E402
    CostForecastsContract,
    CostQueriesContract,
    CostRecommendationsContract,
    PriceListsContract,
)
from airflow_multicloud.testing.contracts.cost.exports import CostContract  # noqa: E402

__all__ = [
    "CostContract",
    "CostForecastsContract",
    "CostQueriesContract",
    "CostRecommendationsContract",
    "PriceListsContract",
]
