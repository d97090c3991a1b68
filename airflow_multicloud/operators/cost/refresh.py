"""Prices and exchange rates newer than the packaged ones, kept where every task can read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_multicloud.api.cost.exchange_rates import ECB_URL, refresh_exchange_rates
from airflow_multicloud.api.cost.price_tables import refresh_prices
from airflow_multicloud.operators.base import CloudOperator, Outcome

if TYPE_CHECKING:
    from airflow.sdk import Context

#: Prices in the log; all are in the table.
_SHOWN = 50


class RefreshPricesOperator(CloudOperator):
    """Read the clouds' price lists again, and put the price table in place, whole or not at all.

    The table that is there is renewed, else the packaged one. Give it as ``prices`` to what prices
    something. Returns the table's place, how many prices are new, changed and of old date, and
    which cloud's list could not be asked. Fails when none could.

    :param target: path that every worker sees, or URI of an object (``s3://conn@bucket/prices.csv``).
    :param conn_ids: a connection for each cloud that is to be asked.
    :param regions: cloud → regions that are wanted besides those in the table.
    """

    template_fields: Sequence[str] = ("target", "conn_ids", "regions")

    def __init__(
        self,
        *,
        target: str,
        conn_ids: Sequence[str],
        regions: Mapping[str, Sequence[str]] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.target = target
        self.conn_ids = conn_ids
        self.regions = regions

    def perform(self, context: Context) -> Outcome:
        """Refresh."""
        found = refresh_prices(self.target, self.conn_ids, regions=self.regions)
        for name in found.changed[:_SHOWN]:
            self.log.info("changed: %s", name)
        for name in found.kept[:_SHOWN]:
            self.log.warning("no list answered for %s", name)
        for cloud, why in found.failed.items():
            self.log.warning("the list of %s could not be asked: %s", cloud, why)
        facts = {
            "uri": found.uri,
            "renewed": found.renewed,
            "changed": len(found.changed),
            "kept": len(found.kept),
            "oldest": found.oldest.isoformat(),
            "failed": dict(found.failed),
        }
        return Outcome(facts)


class RefreshExchangeRatesOperator(CloudOperator):
    """Fetch the European Central Bank's exchange rates, and put the file in place.

    It is checked before it is written. Give it as ``rates_file`` to every question. Returns the
    file's place and its days.

    :param target: path that every worker sees, or URI of an object.
    :param source: the bank's address; or another https address, a path or a URI, where workers
        can't reach the bank.
    """

    template_fields: Sequence[str] = ("target", "source")

    def __init__(self, *, target: str, source: str = ECB_URL, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target = target
        self.source = source

    def perform(self, context: Context) -> Outcome:
        """Refresh."""
        found = refresh_exchange_rates(self.target, source=self.source)
        self.log.info("rates from %s to %s, %d days of them new", found.first_day, found.last_day,
                      found.new_days)  # fmt: skip
        facts = {
            "uri": found.uri,
            "first_day": found.first_day.isoformat(),
            "last_day": found.last_day.isoformat(),
            "new_days": found.new_days,
            "currencies": len(found.currencies),
        }
        return Outcome(facts)
