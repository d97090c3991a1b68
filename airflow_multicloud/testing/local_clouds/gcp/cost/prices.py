"""Cloud Billing Catalog: SKUs from seeded data."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from airflow_multicloud.testing.local_clouds.gcp.rest.paging import page_of
from airflow_multicloud.testing.local_clouds.gcp.rest.strict import Call, Refusal, Service

#: https://cloud.google.com/billing/docs/reference/rest/v1/services.skus/list
_PAGE = 5000


class CloudBilling:
    """Seeded SKUs.

    :param page_size: what a page holds at most.
    """

    def __init__(self, *, page_size: int = _PAGE) -> None:
        self._page_size = page_size
        self._skus: dict[str, list[dict[str, Any]]] = {}

    @property
    def services(self) -> tuple[Service, ...]:
        """The API's one version."""
        return (Service("cloudbilling.v1", {"cloudbilling.services.skus.list": self._list}),)

    def add(self, service: str, sku: dict[str, Any]) -> None:
        """Seed one SKU of a service (``services/6F81-5844-456A``), without its name."""
        held = self._skus.setdefault(service, [])
        number = f"{len(held) + 1:04X}-0000-0000"
        held.append({"name": f"{service}/skus/{number}", "skuId": number, **sku})

    def _list(self, call: Call) -> dict[str, Any]:
        service = call.parameters["parent"]
        if service not in self._skus:
            raise Refusal(HTTPStatus.NOT_FOUND, f"Service {service} is not found.")
        return page_of(call, "skus", self._skus[service], self._page_size)
