"""Which store a connection reaches, as its settings say; nobody is asked.

A bucket's name is unique in a partition of AWS, and at each endpoint of somebody else's.
"""

from __future__ import annotations

import os
import re
from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session

from airflow_multicloud.adapters.names import store_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_multicloud.clouds.aws.session import Session

#: What older hosts have before their region: ``s3-us-gov-west-1``, ``s3-fips-us-gov-west-1``.
_ACCESS = re.compile(r"^s3-(fips-)?")
#: The partition that most buckets are in.
_USUAL = "aws"


def store_name_of(session: Session) -> str:
    """The host of an endpoint that is not AWS's; else the partition, unless it is the usual one.

    An endpoint's host tells the partition, whatever region requests are signed for. No client is
    made for it, which might ask for a role.

    :raises CredentialsError: kind ``invalid_argument``, when the connection can't be used.
    """
    return session.by_settings(lambda settings: _name(session, settings))


def _name(session: Session, settings: botocore.session.Session) -> str:
    endpoint = session.endpoint_url("s3") or _configured_endpoint(settings)
    name = store_name(endpoint or "")
    host = name.partition(":")[0].partition("%")[0]
    served = [one for one in _partitions() if not name or host.endswith(f".{one[2]}")]
    if not served:
        return name
    region = session.connection.region_name or settings.get_config_variable("region") or ""
    # Of what a host is made of, its region is near the end: a bucket may have any name.
    parts = [_ACCESS.sub("", part) for part in reversed(host.split("."))]
    found = (
        partition
        for one in (*parts, region)
        for partition, regions, _ in served
        if re.match(regions, one)
    )
    partition = next(found, served[0][0])
    return "" if partition == _USUAL else partition


def _configured_endpoint(settings: botocore.session.Session) -> str | None:
    """The endpoint by the environment and the profile, in botocore's order.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
    """
    if settings.get_config_variable("ignore_configured_endpoint_urls"):
        return None
    profile: Mapping[str, Any] = settings.get_scoped_config()
    services = settings.full_config.get("services", {}).get(profile.get("services"), {})
    found = (
        os.environ.get("AWS_ENDPOINT_URL_S3"),
        os.environ.get("AWS_ENDPOINT_URL"),
        services.get("s3", {}).get("endpoint_url"),
        profile.get("endpoint_url"),
    )
    return next((url for url in found if url), None)


@cache
def _partitions() -> tuple[tuple[str, str, str], ...]:
    """AWS's partitions as botocore knows them: the name, its regions, and a suffix of its hosts."""
    known = botocore.session.Session().get_data("partitions")["partitions"]
    return tuple(
        (one["id"], one["regionRegex"], one["outputs"][suffix])
        for one in known
        for suffix in ("dnsSuffix", "dualStackDnsSuffix")
    )
