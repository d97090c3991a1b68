"""The cost report in a browser: its charts are seen, and it needs nothing from elsewhere."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.api import CloudCostAnalyzer, write_cost_report
from airflow_multicloud.core.cost.store import CostStore
from airflow_multicloud.ports.cost import (
    CorrectionStyle,
    ExportedPeriod,
    FetchedPeriod,
    FileFormat,
)
from airflow_multicloud.testing.bills import (
    Anomaly,
    Bill,
    BillOptions,
    FileOptions,
    Restatement,
    write_bill,
)

from .browser import browser, chromium

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .browser import Page

_PROGRAM = chromium()
_CHARTS = ("chart-daily", "chart-services", "chart-anomalies", "chart-restatements")
_MONTHS = (date(2026, 8, 1), date(2026, 9, 1))
_END = date(2026, 10, 1)
_SPIKES = {"aws": "Amazon Simple Storage Service", "azure": "SQL Database"}
#: A chart's size, and that of what is drawn in it; texts that reach out of it are cut off.
_MEASURE = """
(() => {
  const svg = document.querySelector('#ID svg'), box = svg.getBoundingClientRect();
  const cut = [...svg.querySelectorAll('text')].filter(text => {
    const at = text.getBoundingClientRect();
    return at.width && (at.left < box.left - 1 || at.right > box.right + 1 ||
                        at.top < box.top - 1 || at.bottom > box.bottom + 1);
  });
  return {
    width: box.width, height: box.height, cut: cut.map(text => text.textContent),
    bars: [...svg.querySelectorAll('.series rect')].filter(
      bar => bar.getBoundingClientRect().width > 1 && bar.getBoundingClientRect().height > 1
    ).length,
    shown: getComputedStyle(svg).visibility === 'visible',
  };
})()
"""

pytestmark = pytest.mark.skipif(
    _PROGRAM is None, reason="no chromium, chromium-browser or google-chrome is on PATH"
)


def _ingest(store: CostStore, bill: Bill, directory: Path) -> None:
    directory.mkdir()
    written = write_bill(bill, directory, FileOptions())
    period = ExportedPeriod(
        export="focus",
        billing_period=bill.options.billing_period,
        version=str(bill.version),
        style=CorrectionStyle.REPLACE,
        exported_at=datetime(2026, 10, 6, tzinfo=UTC),
        rows=written.rows,
    )
    fetched = FetchedPeriod(period=period, format=FileFormat.PARQUET, files=written.paths)
    store.ingest(bill.options.cloud, fetched)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of two months of three clouds, with anomalies and a restatement."""
    place = tmp_path_factory.mktemp("costs")
    store = CostStore.open(place / "store")
    for cloud in ("aws", "azure", "gcp"):
        for month in _MONTHS:
            spike = _SPIKES.get(cloud) if month == _MONTHS[-1] else None
            options = BillOptions(
                cloud=cloud,
                billing_period=month,
                rows=5_000,
                invoiced=True,
                anomalies=(Anomaly(spike, day=20, factor=Decimal(9)),) if spike else (),
            )
            bill = Bill(options)
            _ingest(store, bill, place / f"{cloud}-{month}")
            if cloud != "aws" and month == _MONTHS[-1]:
                correction = Restatement(
                    style=CorrectionStyle.REPLACE, service=max(options.services), day=5
                )
                _ingest(store, bill.restate(correction), place / f"{cloud}-restated")
    document = CloudCostAnalyzer(place / "store").report(_MONTHS[-1], _END)
    return Path(write_cost_report(document, str(place))["report.html"])


@pytest.fixture
def page(report: Path, tmp_path: Path) -> Iterator[Page]:
    """The report, loaded."""
    assert _PROGRAM is not None
    with browser(_PROGRAM, tmp_path / "profile") as opened:
        opened.open(report.as_uri())
        yield opened


def test_every_chart_is_seen(page: Page) -> None:
    for name in _CHARTS:
        chart = page.evaluate(_MEASURE.replace("ID", name))
        assert chart["shown"], name
        assert chart["width"] > 300, name
        assert chart["height"] > 100, name
        assert chart["bars"], name
        assert chart["cut"] == [], name


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("media", ["", "print"])
def test_every_text_can_be_read(page: Page, scheme: str, media: str) -> None:
    page.show_as(scheme=scheme, media=media)
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == ("rgb(255, 255, 255)" if scheme == "light" or media else "rgb(20, 23, 28)")
    contrast, where = page.least_contrast()
    assert contrast >= 4.5, where


def test_a_phone_shows_it_without_moving_the_page_sideways(page: Page) -> None:
    page.show_as(width=390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate("getComputedStyle(document.body).fontSize") == "15px"


def test_nothing_is_cut_off_on_paper(page: Page) -> None:
    page.show_as(width=680, media="print")  # A4 less its margins, in CSS pixels
    assert page.evaluate("document.documentElement.scrollWidth") <= 680
    assert page.pdf().startswith(b"%PDF-")


def test_no_script_fails_and_nothing_is_fetched(page: Page, report: Path) -> None:
    page.evaluate("document.querySelectorAll('svg').length")
    assert page.problems == []
    assert page.requests == [report.as_uri()]


def test_the_browser_tells_problems_and_requests(tmp_path: Path) -> None:
    """What the test above relies on."""
    assert _PROGRAM is not None
    bad = tmp_path / "bad.html"
    bad.write_text("<img src='missing.png'><script>console.error('one'); nothing.here</script>")
    with browser(_PROGRAM, tmp_path / "profile") as page:
        page.open(bad.as_uri())
        page.evaluate("1")
        assert any("one" in problem for problem in page.problems)
        assert any("ReferenceError" in problem for problem in page.problems)
        assert page.requests == [bad.as_uri(), (tmp_path / "missing.png").as_uri()]
