"""What a connection says of the account that it leads to, without a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from botocore.session import get_session

from airflow_multicloud.ports.calls import ACCOUNT

if TYPE_CHECKING:
    from airflow.sdk import Connection


def facts_of(connection: Connection | None) -> Mapping[str, str]:
    """Partition, region and account; the account is known to STS only."""
    region = str((connection.extra_dejson if connection else {}).get("region_name") or "")
    # botocore knows new regions by the form of their names; without one it is that of most.
    partition = get_session().get_partition_for_region(region or "us-east-1")
    return {"partition": partition, "region": region or "*", "account": ACCOUNT}
