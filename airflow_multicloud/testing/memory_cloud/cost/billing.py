"""What the cost APIs of the in-memory cloud answer with, per connection id."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_multicloud.ports.cost import ApiForecast, CostQueryRow, ListPrice, Recommendation


@dataclass(slots=True)
class Billing:
    """One connection's answers; tests fill it in.

    :param costs: rows by every group that may be asked for.
    :param page: how many rows a request brings.
    :param forecast: ``None`` is too little history.
    :param unavailable: source of recommendations → why it can't be asked.
    """

    costs: list[CostQueryRow] = field(default_factory=list)
    page: int = 100
    forecast: ApiForecast | None = None
    recommendations: list[Recommendation] = field(default_factory=list)
    unavailable: dict[str, str] = field(default_factory=dict)
    prices: list[ListPrice] = field(default_factory=list)


_accounts: dict[str, Billing] = {}


def billing(conn_id: str) -> Billing:
    """The answers of one connection id, empty at first."""
    return _accounts.setdefault(conn_id, Billing())


def forget(conn_id: str | None = None) -> None:
    """Empty the answers of one connection id, or of all."""
    if conn_id is None:
        _accounts.clear()
    else:
        _accounts.pop(conn_id, None)
