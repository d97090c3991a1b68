"""The cost services of an AWS connection: their clients, and where they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.clouds.aws.cost.errors import translated
from airflow_multicloud.clouds.aws.session import SessionHook

if TYPE_CHECKING:
    from botocore.client import BaseClient

# These have their endpoints in few regions, which speak of all; of Cost Explorer, which has
# one in each partition, botocore knows it:
# https://docs.aws.amazon.com/general/latest/gr/billing.html
_BILLING_SERVICES = frozenset({"cost-optimization-hub", "pricing"})
_BILLING_REGION = "us-east-1"
_BILLING_REGION_CHINA = "cn-northwest-1"


class CostBase(SessionHook):
    """What the cost questions stand on.

    :param aws_conn_id: an Airflow connection of type ``aws``.
    """

    def __init__(self, aws_conn_id: str | None = SessionHook.default_conn_name) -> None:
        super().__init__(aws_conn_id, client_type="ce")

    def _service(self, name: str) -> BaseClient:
        """The client of a service, where the connection's partition has it."""
        with translated(f"opening connection {self.aws_conn_id!r}"):
            region = self._session.region or _BILLING_REGION
            if name in _BILLING_SERVICES:
                china = region.startswith("cn-")
                region = _BILLING_REGION_CHINA if china else _BILLING_REGION
            return self._session.client(name, region=region)
