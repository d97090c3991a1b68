"""The extra ``local``: what it brings is looked for before a server is started."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

from airflow_multicloud.testing.local_clouds import _EXTRA

CHECKOUT = Path(__file__).parents[3]


def test_all_that_the_extra_brings_is_looked_for() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    brought = {
        re.split(r"[^\w-]", required)[0] for required in project["optional-dependencies"]["local"]
    }
    distributions = packages_distributions()
    looked_for = {
        re.sub("[-_.]+", "-", name).lower()
        for module in _EXTRA
        for name in distributions[module.partition(".")[0]]
    }
    assert brought - {"airflow-multicloud"} <= looked_for
