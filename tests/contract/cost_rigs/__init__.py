"""The rigs of the cost contract, one module a cloud: each has ``specs()``.

See :mod:`airflow_multicloud.testing.contracts.cost.rigs` for how to write one. A module put
here is found by itself; it imports Airflow and the hook inside ``specs()`` only.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_multicloud.testing.contracts.cost.rigs import CostRigSpec


@cache
def cost_rig_specs() -> tuple[CostRigSpec, ...]:
    """Every rig, by its module's name; memory comes first."""
    names = sorted(
        (module.name for module in pkgutil.iter_modules(__path__)), key=lambda n: (n != "memory", n)
    )
    found: list[CostRigSpec] = []
    for name in names:
        found += import_module(f"{__name__}.{name}").specs()
    return tuple(found)
