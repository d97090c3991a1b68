"""What the command line says of a live run."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_multicloud.testing import live
from airflow_multicloud.testing.live.options import Chosen, live_of


class Config:
    """As much of pytest's as is asked."""

    def __init__(self, **given: Any) -> None:
        self.stash = pytest.Stash()
        self._given = {
            "--live": [],
            "--live-bucket": [],
            "--live-max-requests": 5,
            "--live-max-bytes": 7,
            "--live-max-usd": "0.05",
            "numprocesses": None,
            **{_option(name): value for name, value in given.items()},
        }

    def getoption(self, name: str, _default: object = None) -> Any:
        return self._given[name]


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}" if name.startswith("live") else name


def read(**given: Any) -> Any:
    config: Any = Config(**given)
    return live_of(config)


def test_not_in_several_processes() -> None:
    """Each would count for itself."""
    controller: Any = Config(live=["aws"], numprocesses=2)
    worker: Any = Config(live=["aws"])
    worker.workerinput = {}
    for config in (controller, worker):
        with pytest.raises(pytest.UsageError, match="run without -n"):
            live.pytest_configure(config)


def test_not_live() -> None:
    assert read() is None
    assert read(live_max_requests=None) is None


def test_clouds_services_and_connections() -> None:
    run = read(live=["aws, azure=my_wasb", "azure.cost=my_azure"], live_bucket=["aws=scratch"])
    assert list(run.chosen) == [Chosen("aws"), Chosen("azure"), Chosen("azure", "cost")]
    assert dict(run.connections("object_store")) == {"aws": "aws_default", "azure": "my_wasb"}
    assert dict(run.connections("cost")) == {"aws": "aws_default", "azure": "my_azure"}
    assert dict(run.buckets) == {"aws": "scratch"}
    assert (run.limits.requests, run.limits.bytes) == (5, 7)
    assert run.limits.usd == Decimal("0.05")


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("test_x[live_aws]", True),
        ("test_x[live_azure-50%]", True),
        ("test_x[7-live_my_cloud]", True),
        ("test_x[olive_oil]", False),
        ("test_x[live_]", False),
        ("test_live_x", False),
        ("test_x[a live_aws b]", False),
    ],
)
def test_only_whole_parts_of_ids_are_live(name: str, kept: bool) -> None:
    config: Any = Config(live=["aws"])
    config.hook = SimpleNamespace(pytest_deselected=lambda **_: None)
    items: Any = [SimpleNamespace(name=name)]
    live.pytest_collection_modifyitems(config, items)
    assert bool(items) is kept


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"live_max_requests": None}, "give --live-max-requests N"),
        ({"live_bucket": ["scratch"]}, "'scratch' given, expected CLOUD=BUCKET"),
        ({"live_bucket": ["aws="]}, "'aws=' given, expected CLOUD=BUCKET"),
        ({"live_bucket": ["gcp=scratch"]}, "no object store of gcp is in --live"),
        ({"live_bucket": ["aws=a", "aws=b"]}, "--live-bucket: aws is given twice"),
        ({"live": ["aws", "gcp.cost"], "live_bucket": ["gcp=scratch"]}, "no object store of gcp"),
        ({"live": ["aws.costs"]}, "'aws.costs' given, expected .* one of cost, identity, object_s"),
        ({"live": ["aws=a,aws=b"]}, "--live: aws is given twice"),
        ({"live": ["aws.cost", "aws.cost=b"]}, r"--live: aws\.cost is given twice"),
        ({"live_max_usd": "much"}, "'much' given, expected a number of US dollars"),
        ({"live_max_usd": "-1"}, "'-1' given"),
    ],
)
def test_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(pytest.UsageError, match=said):
        read(**{"live": ["aws"], **given})
