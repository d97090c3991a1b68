"""A report's charts as SVG, drawn by pygal; no script is needed to see them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_multicloud.core.cost.report.document import CostDocument, two_places

if TYPE_CHECKING:
    from pygal import Config

_BARS = 12


def charts(document: CostDocument) -> dict[str, str]:
    """Name → SVG, of those that have something to show."""
    drawn = {
        "daily": _daily(document),
        "services": _services(document),
        "anomalies": _pairs(
            "Anomalies: actual and expected cost",
            [
                (f"{a.cloud} {a.service_name} {a.first_day:%d %b}", a.actual, a.expected)
                for a in (document.anomalies.found if document.anomalies else ())
            ],
            ("actual", "expected"),
        ),
        "restatements": _pairs(
            "Restatements: billed cost before and after",
            [
                (
                    f"{r.cloud} {r.service_name} ({r.billing_currency})",
                    r.new_billed_cost,
                    r.old_billed_cost,
                )
                for r in document.restatements
            ],
            ("after", "before"),
        ),
    }
    return {name: svg for name, svg in drawn.items() if svg}


def _daily(document: CostDocument) -> str:
    import pygal

    days = sorted({line.group[0] for r in document.daily.reports for line in r.lines})
    if not days:
        return ""
    chart = pygal.StackedBar(_config(f"Cost per day, {document.daily.currency}", rotate=True))
    chart.x_labels = days
    for report in document.daily.reports:
        amounts = {line.group[0]: line.costs.on(report.basis) for line in report.lines}
        chart.add(report.cloud, [float(amounts.get(day, 0)) for day in days])
    return _svg(chart)


def _services(document: CostDocument) -> str:
    import pygal

    found = [
        (line.costs.on(r.basis), f"{r.cloud} {line.group[0]}")
        for r in document.comparison.reports
        for line in r.lines
    ]
    if not found:
        return ""
    largest = sorted(found, reverse=True)[:_BARS][::-1]
    chart = pygal.HorizontalBar(_config(f"Services, {document.comparison.currency}", legend=False))
    chart.x_labels = [name for _, name in largest]
    chart.add("cost", [float(amount) for amount, _ in largest])
    return _svg(chart)


def _pairs(title: str, rows: Sequence[tuple[str, Decimal, Decimal]], names: tuple[str, str]) -> str:
    import pygal

    if not rows:
        return ""
    shown = rows[:_BARS][::-1]
    chart = pygal.HorizontalBar(_config(title))
    chart.x_labels = [label for label, _, _ in shown]
    chart.add(names[1], [float(second) for _, _, second in shown])
    chart.add(names[0], [float(first) for _, first, _ in shown])
    return _svg(chart)


def _config(title: str, *, legend: bool = True, rotate: bool = False) -> Config:
    from pygal import Config
    from pygal.style import CleanStyle

    return Config(
        title=title,
        show_legend=legend,
        legend_at_bottom=True,
        x_label_rotation=45 if rotate else 0,
        formatter=lambda value: two_places(Decimal(str(value))),
        style=CleanStyle(font_family="system-ui, sans-serif", background="transparent"),
        width=960,
        height=380,
        explicit_size=False,
        js=[],
        disable_xml_declaration=True,
        no_prefix=False,
    )


def _svg(chart: Any) -> str:
    text: str = chart.render(is_unicode=True)
    return text
