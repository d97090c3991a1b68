"""What a connection says of the account that it leads to, without a request."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError
from botocore.session import Session, get_session

from airflow_multicloud.ports.calls import ACCOUNT

if TYPE_CHECKING:
    from airflow.sdk import Connection

#: Of a connection that leads nowhere in particular.
_ANY = "*"


def facts_of(connection: Connection | None) -> Mapping[str, str]:
    """Partition, region and account; the account is known to STS only."""
    region = _region(connection) if connection else _ANY
    # Without a region it is the partition of most.
    partition = _partition_of("us-east-1" if region == _ANY else region)
    return {"partition": partition, "region": region, "account": ACCOUNT}


@cache
def _partition_of(region: str) -> str:
    """Also of a new region, by the form of its name.

    Each session of botocore reads its large table of endpoints again, and a deployment has some
    hundred needs, each of which asks.
    """
    found: str = get_session().get_partition_for_region(region)
    return found


def _region(connection: Connection) -> str:
    """As the session of the connection's hooks finds it: the extra, the environment, the profile.

    "Order of precedence" of ``region_name`` in Airflow's ``AwsConnectionWrapper`` and boto3.
    """
    extra: Mapping[str, Any] = connection.extra_dejson
    if extra.get("region_name"):
        return str(extra["region_name"])
    try:
        found = Session(profile=extra.get("profile_name")).get_config_variable("region")
    except BotoCoreError:
        return _ANY  # The profile is not there; whoever opens the connection says so.
    return str(found or _ANY)
