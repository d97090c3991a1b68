"""What the command line says of a live run."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

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
            **{f"--{name.replace('_', '-')}": value for name, value in given.items()},
        }

    def getoption(self, name: str, _default: object = None) -> Any:
        return self._given[name]


def read(**given: Any) -> Any:
    config: Any = Config(**given)
    return live_of(config)


def test_not_live() -> None:
    assert read() is None
    assert read(live_max_requests=None) is None


def test_clouds_services_and_connections() -> None:
    live = read(live=["aws, azure=my_wasb", "azure.cost=my_azure"], live_bucket=["aws=scratch"])
    assert list(live.chosen) == [Chosen("aws"), Chosen("azure"), Chosen("azure", "cost")]
    assert dict(live.connections("object_store")) == {"aws": "aws_default", "azure": "my_wasb"}
    assert dict(live.connections("cost")) == {"aws": "aws_default", "azure": "my_azure"}
    assert dict(live.buckets) == {"aws": "scratch"}
    assert (live.limits.requests, live.limits.bytes) == (5, 7)
    assert live.limits.usd == Decimal("0.05")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"live_max_requests": None}, "give --live-max-requests N"),
        ({"live_bucket": ["scratch"]}, "'scratch' given, expected CLOUD=BUCKET"),
        ({"live_bucket": ["aws="]}, "'aws=' given, expected CLOUD=BUCKET"),
        ({"live_max_usd": "much"}, "'much' given, expected a number of US dollars"),
        ({"live_max_usd": "-1"}, "'-1' given"),
    ],
)
def test_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(pytest.UsageError, match=said):
        read(live=["aws"], **given)
