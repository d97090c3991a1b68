"""The drawing of measurements beside their limits."""

from __future__ import annotations

from datetime import timedelta
from xml.etree import ElementTree as ET

from airflow_multicloud.plugins.page.trend import Point, trend

from .reports import NOW

DAY = timedelta(days=1)


def points(*measured: tuple[float, float | None], note: str = "PASSED") -> list[Point]:
    return [
        Point(NOW - n * DAY, seconds, limit, note) for n, (seconds, limit) in enumerate(measured)
    ]


def test_what_is_over_its_limit_has_another_shape() -> None:
    svg = ET.fromstring(str(trend("RTO", points((10.0, 60.0), (61.0, 60.0), (60.0, 60.0)))))
    assert len(svg.findall("circle")) == 2
    (over,) = svg.findall("polygon")
    assert "1 min 1 s of 1 min, PASSED" in (over.findtext("title") or "")
    assert svg.find("path[@class='limit']") is not None


def test_everything_is_within_the_drawing() -> None:
    svg = ET.fromstring(str(trend("RTO", points((0.0, None), (1e6, 5.0), (3.0, 1e7)))))
    _, _, width, height = map(float, svg.attrib["viewBox"].split())
    for circle in svg.findall("circle"):
        assert 0 <= float(circle.attrib["cx"]) <= width
        assert 0 <= float(circle.attrib["cy"]) <= height


def test_one_point_is_no_line() -> None:
    assert trend("RTO", points((1.0, None))) is None
    assert trend("RTO", []) is None
    same = [Point(NOW, 1.0, None, ""), Point(NOW, 2.0, None, "")]
    assert trend("RTO", same) is None


def test_nothing_to_measure_is_drawn_at_the_bottom() -> None:
    assert trend("RTO", points((0.0, 0.0), (0.0, 0.0))) is not None


def test_names_are_text() -> None:
    hostile = '"><script>alert(1)</script>\u202e'
    svg = str(trend(hostile, points((1.0, None), (2.0, None), note=hostile)))
    assert "<script" not in svg
    assert "\u202e" not in svg
    assert "alert(1)" in (ET.fromstring(svg).attrib["aria-label"])
