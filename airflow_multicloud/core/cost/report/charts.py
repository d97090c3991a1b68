"""A report's charts as SVG, drawn by pygal; no script is needed to see them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_multicloud.core.cost.report.document import CostDocument, two_places
from airflow_multicloud.registry import require_extra

if TYPE_CHECKING:
    from pygal import Config

    from airflow_multicloud.core.cost.anomalies import Anomaly

_BARS = 12
#: So many days can be named below the bars without touching each other.
_LABELS = 31
#: What is shown of an account's id, which may be long: its end tells accounts apart.
_TAIL = 12


def charts(document: CostDocument) -> dict[str, str]:
    """Name → SVG, of those that have something to show."""
    drawn = {
        "daily": _daily(document),
        "services": _services(document),
        "anomalies": _pairs(
            "Anomalies: actual and expected cost",
            [
                (_anomaly(a), a.actual, a.expected)
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
    pygal = _pygal()
    days = sorted({line.group[0] for r in document.daily.reports for line in r.lines})
    if not days:
        return ""
    chart = pygal.StackedBar(_config(f"Cost per day, {document.daily.currency}", rotate=True))
    chart.x_labels = [f"{date.fromisoformat(day):%d %b}" for day in days]
    chart.x_labels_major_every = -(-len(days) // _LABELS)
    chart.show_minor_x_labels = False
    for report in document.daily.reports:
        amounts = {line.group[0]: line.costs.on(report.basis) for line in report.lines}
        chart.add(report.cloud, [float(amounts.get(day, 0)) for day in days])
    return _svg(chart)


def _anomaly(found: Anomaly) -> str:
    account = found.sub_account_id or ""
    tail = account if len(account) <= _TAIL else f"…{account[-_TAIL:]}"
    return " ".join(
        filter(None, (found.cloud, found.service_name, tail, f"{found.first_day:%d %b}"))
    )


def _services(document: CostDocument) -> str:
    pygal = _pygal()
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
    pygal = _pygal()
    if not rows:
        return ""
    shown = rows[:_BARS][::-1]
    chart = pygal.HorizontalBar(_config(title))
    chart.x_labels = [label for label, _, _ in shown]
    chart.add(names[1], [float(second) for _, _, second in shown])
    chart.add(names[0], [float(first) for _, first, _ in shown])
    return _svg(chart)


def _pygal() -> Any:
    """Pygal, without the import hook for its map plugins that it leaves behind.

    The hook is of a kind that Python 3.12 does not ask any more, and 3.11 warns of it at every
    import that follows in the process.
    """
    require_extra("pygal", "cost")
    import pygal

    sys.meta_path[:] = [f for f in sys.meta_path if not isinstance(f, pygal.PluginImportFixer)]
    return pygal


def _config(title: str, *, legend: bool = True, rotate: bool = False) -> Config:
    from pygal import Config
    from pygal.style import CleanStyle

    return Config(
        title=title,
        show_legend=legend,
        legend_at_bottom=True,
        x_label_rotation=45 if rotate else 0,
        value_formatter=lambda value: f"{value:,.6g}",
        formatter=lambda value: two_places(Decimal(str(value))),
        style=CleanStyle(
            font_family="system-ui, sans-serif",
            background="transparent",
            guide_stroke_color="#ddd",
            major_guide_stroke_color="#ccc",
            guide_stroke_dasharray="none",
            major_guide_stroke_dasharray="none",
            opacity="1",
        ),
        width=960,
        height=380,
        explicit_size=False,
        js=[],
        disable_xml_declaration=True,
        no_prefix=False,
    )


def _svg(chart: Any) -> str:
    # In one row; what pygal leaves below is right for as many columns as there are series.
    chart.legend_at_bottom_columns = len(chart.raw_series)
    chart.add_xml_filter(_without_scripts)
    text: str = chart.render(is_unicode=True)
    return text


def _without_scripts(root: Any) -> Any:
    """Pygal writes its settings, with all names in them, as a script that nothing here needs."""
    for parent in root.iter():
        for child in [c for c in parent if str(c.tag).rpartition("}")[2] == "script"]:
            parent.remove(child)
    return root
