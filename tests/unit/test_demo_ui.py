"""The connections that the example DAGs find in ``make ui``."""

from __future__ import annotations

from airflow_multicloud.demo import ui


def test_one_connection_with_the_endpoints_of_all() -> None:
    storage = {
        "conn_type": "aws",
        "login": "me",
        "extra": {"endpoint_url": "http://s3", "service_config": {"sts": {"endpoint_url": "x"}}},
    }
    hub = {
        "conn_type": "aws",
        "login": "other",
        "extra": {"region_name": "us-east-1", "service_config": {"hub": {"endpoint_url": "y"}}},
    }
    assert ui._merged([storage, hub]) == {
        "conn_type": "aws",
        "login": "me",
        "extra": {
            "endpoint_url": "http://s3",
            "region_name": "us-east-1",
            "service_config": {"sts": {"endpoint_url": "x"}, "hub": {"endpoint_url": "y"}},
        },
    }
