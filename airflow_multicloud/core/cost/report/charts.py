"""A report's charts as SVG, drawn by pygal; no script is needed to see them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_multicloud.core.cost.report.beside_last import daily_amount, day_of
from airflow_multicloud.core.cost.report.document import CostDocument
from airflow_multicloud.core.pages import money
from airflow_multicloud.extras import require_extra
from airflow_multicloud.text import printable

if TYPE_CHECKING:
    from pygal import Config

    from airflow_multicloud.core.cost.anomalies import Anomaly
    from airflow_multicloud.core.cost.compare.comparison import CostLine, CostReport
    from airflow_multicloud.core.cost.forecast import CloudForecast

_BARS = 12
#: So many days can be named below the bars without touching each other.
_LABELS = 31
#: A longer name beside a bar is cut: it would leave no room for the bar.
_NAME = 60
#: Colours of the page's style sheet, for light, dark and paper.
_COLOURS = tuple(f"var(--s{number})" for number in range(1, 7))
#: Of a bar that is expected and not billed.
_EXPECTED = "opacity: .4"


def charts(document: CostDocument) -> dict[str, str]:
    """Name → SVG, of those that have something to show."""
    found = document.anomalies.found if document.anomalies else ()
    drawn = {
        "daily": _daily(document),
        "services": _services(document),
        "anomalies": _pairs(
            "Anomalies: actual and expected cost",
            [(_anomaly(document, a), a.actual, a.expected) for a in found],
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
    """Each day's use, and what is expected of the days left.

    Purchases, taxes and credits are left out: beside them all other days would look empty.
    """
    pygal = _pygal()
    used = {report.cloud: _used(report) for report in document.daily.reports}
    coming = {cloud.cloud: _coming(cloud, document) for cloud in _forecasts(document)}
    days = sorted({day for amounts in (*used.values(), *coming.values()) for day in amounts})
    if not days:
        return ""
    title = f"Use per day, {document.daily.currency}"
    chart = pygal.StackedBar(_config(f"{title}; pale: expected" if coming else title, rotate=True))
    chart.x_labels = [f"{day:%d %b}" for day in days]
    chart.x_labels_major_every = -(-len(days) // _LABELS)
    chart.show_minor_x_labels = False
    for cloud in dict.fromkeys((*used, *coming)):
        amounts, expected = used.get(cloud, {}), coming.get(cloud, {})
        chart.add(
            _named(cloud),
            [
                {"value": float(expected[day]), "style": _EXPECTED}
                if day in expected
                else float(amounts.get(day, 0))
                for day in days
            ],
        )
    return _svg(chart)


def _used(report: CostReport) -> dict[date, Decimal]:
    return {
        day: daily_amount(line, report)
        for line in report.lines
        # A bill has charges of other months too.
        if report.start <= (day := day_of(line)) < report.end
    }


def _forecasts(document: CostDocument) -> Sequence[CloudForecast]:
    found = document.forecast.clouds if document.forecast else ()
    charged = {report.cloud for report in document.daily.reports}
    return [c for c in found if c.days_left and (c.usage_left or c.cloud in charged)]


def _coming(cloud: CloudForecast, document: CostDocument) -> dict[date, Decimal]:
    """The days left, each with an equal share of what their use is expected to cost."""
    assert document.forecast is not None  # noqa: S101 - it is where the cloud comes from
    end = document.forecast.end
    share = cloud.usage_left / cloud.days_left
    return {end - timedelta(days=n): share for n in range(1, cloud.days_left + 1)}


def _anomaly(document: CostDocument, found: Anomaly) -> str:
    account = document.account(found.sub_account_id)
    return " ".join(
        filter(None, (found.cloud, found.service_name, account, f"{found.first_day:%d %b}"))
    )


def _named(text: str) -> str:
    """A name as XML can hold it and a reader see it, short enough."""
    text = printable(text)
    return text if len(text) <= _NAME else f"{text[: _NAME - 1]}…"


def _services(document: CostDocument) -> str:
    pygal = _pygal()
    found = [
        (line.costs.on(r.basis), _line(r, line))
        for r in document.comparison.reports
        for line in r.lines
    ]
    if not found or not document.grouping:
        return ""
    largest = sorted(found, reverse=True)[:_BARS][::-1]
    chart = pygal.HorizontalBar(
        _config(f"{document.heading}, {document.comparison.currency}", legend=False)
    )
    chart.x_labels = [_named(name) for _, name in largest]
    chart.add("cost", [float(amount) for amount, _ in largest])
    return _svg(chart)


def _line(report: CostReport, line: CostLine) -> str:
    groups = zip(report.group_by, line.group, strict=True)
    return " ".join((report.cloud, *(value for name, value in groups if name != "Cloud")))


def _pairs(title: str, rows: Sequence[tuple[str, Decimal, Decimal]], names: tuple[str, str]) -> str:
    pygal = _pygal()
    if not rows:
        return ""
    shown = rows[:_BARS][::-1]
    chart = pygal.HorizontalBar(_config(title))
    chart.x_labels = [_named(label) for label, _, _ in shown]
    chart.add(names[1], [float(second) for _, _, second in shown])
    chart.add(names[0], [float(first) for _, first, _ in shown])
    return _svg(chart)


def _pygal() -> Any:
    """Pygal, without the import hook for its map plugins that it leaves behind.

    The hook is of a kind that Python 3.12 does not ask any more, and 3.11 warns of it at every
    import that follows in the process.
    """
    require_extra("pygal", "cost")
    import pygal  # optional: extra "cost"

    sys.meta_path[:] = [f for f in sys.meta_path if not isinstance(f, pygal.PluginImportFixer)]
    return pygal


def _config(title: str, *, legend: bool = True, rotate: bool = False) -> Config:
    from pygal import Config  # optional: extra "cost"
    from pygal.style import CleanStyle

    ink, quiet, line = "var(--ink)", "var(--quiet)", "var(--line)"

    return Config(
        title=printable(title),
        show_legend=legend,
        legend_at_bottom=True,
        x_label_rotation=45 if rotate else 0,
        value_formatter=lambda value: f"{value:,.6g}",
        formatter=lambda value: money(Decimal(str(value))),
        style=CleanStyle(
            font_family="system-ui, sans-serif",
            background="transparent",
            plot_background="transparent",
            foreground=quiet,
            foreground_strong=ink,
            foreground_subtle=quiet,
            colors=_COLOURS,
            guide_stroke_color=line,
            major_guide_stroke_color=line,
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
