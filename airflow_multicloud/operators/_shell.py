"""What every operator shares: how errors become Airflow's, and how assets get their facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset
from airflow.sdk.exceptions import AirflowFailException

from airflow_multicloud.errors import CloudError

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator, Context


@contextmanager
def airflow_errors() -> Iterator[None]:
    """Fail the task at once where a retry can't help; leave the rest to its ``retries``."""
    try:
        yield
    except CloudError as err:
        if err.retryable:
            raise
        raise AirflowFailException(f"{err.kind}: {err}") from err


def tell_assets(operator: BaseOperator, context: Context, facts: Mapping[str, Any]) -> None:
    """Attach facts to the event of every asset the operator has as an outlet."""
    for outlet in operator.outlets:
        if isinstance(outlet, Asset):
            context["outlet_events"][outlet].extra.update(facts)
