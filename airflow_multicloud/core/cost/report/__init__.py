"""Cost reports: one document, as a page of HTML, as CSV and as JSON."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from airflow_multicloud.core.cost.report.charts import charts
from airflow_multicloud.core.cost.report.document import CostDocument, gather, two_places
from airflow_multicloud.text import write_csv

if TYPE_CHECKING:
    from jinja2 import Template

__all__ = ["CostDocument", "gather", "to_csv", "to_html", "to_json"]


def to_html(document: CostDocument) -> str:
    """A page that needs nothing from elsewhere: no script, no font, no image."""
    from markupsafe import Markup

    comparison = document.comparison
    categories = sorted({k for report in comparison.reports for k in report.by_category})
    # What pygal draws is markup of its own making, with all texts in it escaped.
    svg = {name: Markup(text) for name, text in charts(document).items()}  # noqa: S704
    return _template().render(
        d=document,
        c=comparison,
        last_day=comparison.end - timedelta(days=1),
        categories=categories,
        rows=document.rows(),
        svg=svg,
        money=two_places,
        number=lambda text: two_places(Decimal(text)),
    )


def to_csv(document: CostDocument) -> str:
    """The breakdown by service, one row a line; it adds up to the totals of :func:`to_json`."""
    rows = document.rows()
    out = io.StringIO()
    if rows:
        write_csv(out, list(rows[0]), rows)
    return out.getvalue()


def to_json(document: CostDocument) -> str:
    """Everything, unrounded; amounts are texts, so that no reader makes floats of them."""
    return json.dumps(document.as_dict(), indent=1, ensure_ascii=False)


def _template() -> Template:
    from jinja2 import Environment, PackageLoader

    environment = Environment(loader=PackageLoader(__name__, "."), autoescape=True)
    return environment.get_template("report.html.jinja")
