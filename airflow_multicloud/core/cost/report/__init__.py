"""Cost reports: one document, as a page of HTML, as CSV and as JSON."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from decimal import Decimal

from markupsafe import Markup

from airflow_multicloud.core import pages
from airflow_multicloud.core.cost import documents
from airflow_multicloud.core.cost.money import CENT, CostPeriod
from airflow_multicloud.core.cost.report import tables
from airflow_multicloud.core.cost.report.beside_last import is_month
from airflow_multicloud.core.cost.report.charts import charts
from airflow_multicloud.core.cost.report.document import CostDocument
from airflow_multicloud.core.cost.report.gathering import gather
from airflow_multicloud.core.cost.report.tables import service_rows
from airflow_multicloud.text import write_csv

__all__ = ["CostDocument", "gather", "service_rows", "to_csv", "to_html", "to_json"]


def to_html(document: CostDocument) -> str:
    """A page that needs nothing from elsewhere: no script, no font, no image."""
    comparison = document.comparison
    clouds, categories = tables.cloud_rows(comparison), tables.categories_of(comparison)
    # What pygal draws is markup of its own making, with all texts in it escaped.
    svg = {name: Markup(text) for name, text in charts(document).items()}  # noqa: S704
    return pages.render(
        __name__,
        "report.html.jinja",
        d=document,
        c=comparison,
        last_day=comparison.end - timedelta(days=1),
        billed=comparison.by is CostPeriod.BILLING_PERIOD,
        months=is_month(comparison.start, comparison.end),
        months_rows=document.beside_last,
        clouds=clouds,
        categories=categories,
        rows=document.rows(),
        others=tables.other_charges(document.daily, clouds, categories),
        budget_amounts=tables.budget_amounts(document),
        savings=tables.savings(document.recommendations),
        quote_lines=tables.quote_lines,
        account=document.account,
        svg=svg,
        cent=CENT,
        number=lambda text: pages.money(Decimal(text)),
    )


def to_csv(document: CostDocument) -> str:
    """The breakdown, one row a line; it adds up to the totals of the page."""
    rows = tables.csv_rows(document)
    out = io.StringIO()
    if rows:
        write_csv(out, list(rows[0]), rows)
    return out.getvalue()


def to_json(document: CostDocument) -> str:
    """Everything that the page shows, unrounded; ``beside_last`` alone is rounded as there.

    Amounts are texts, so that no reader makes floats of them.
    """
    return json.dumps(documents.report(document), indent=1, ensure_ascii=False)
