"""Monitoring filters: comparisons of a metric's and its resource's properties, joined by AND.

https://cloud.google.com/monitoring/api/v3/filters. A filter of series names exactly one metric
type.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from airflow_multicloud.testing.local_clouds.gcp.grpc.services import Refused, invalid

_STRING = r'"(?:[^"\\]|\\.)*"'
_COMPARISON = re.compile(
    r"\s*(?P<selector>[a-z_]+(?:\.[a-zA-Z_][a-zA-Z0-9_]*)*)\s*(?P<operator>=|!=)\s*"
    rf"(?:(?P<function>[a-z_.]+)\(\s*(?P<arguments>{_STRING}(?:\s*,\s*{_STRING})*)\s*\)"
    rf"|(?P<value>{_STRING}))\s*"
)
_AND = re.compile(r"AND\b")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}

_FUNCTIONS: Mapping[str, Callable[[str, list[str]], bool]] = {
    "starts_with": lambda value, given: value.startswith(given[0]),
    "ends_with": lambda value, given: value.endswith(given[0]),
    "has_substring": lambda value, given: given[0] in value,
    "one_of": lambda value, given: value in given,
    "monitoring.regex.full_match": lambda value, given: bool(re.fullmatch(given[0], value)),
}

#: Whether a series is meant, given its header.
Test = Callable[[Any], bool]


def parsed(text: str) -> tuple[str | None, Test]:
    """The one metric type that a filter names, if it does, and what it says in all.

    :raises Refused: for what is no filter, or none of those that are known here.
    """
    tests: list[Test] = []
    metric_type = None
    place = 0
    while True:
        found = _COMPARISON.match(text, place)
        if found is None:
            raise _refused(text)
        tests.append(_test(found, text))
        if found["selector"] == "metric.type" and found["operator"] == "=" and found["value"]:
            if metric_type is not None:
                raise _refused(text)
            metric_type = _plain(found["value"])
        place = found.end()
        if place == len(text):
            break
        joined = _AND.match(text, place)
        if joined is None:
            raise _refused(text)
        place = joined.end()
    return metric_type, lambda header: all(test(header) for test in tests)


def _test(found: re.Match[str], text: str) -> Test:
    selector = found["selector"]
    wanted = found["operator"] == "="
    if found["value"] is not None:
        value = _plain(found["value"])
        return lambda header: (_value(header, selector, text) == value) is wanted
    function = _FUNCTIONS.get(found["function"])
    if function is None:
        raise _refused(text)
    given = [_plain(one) for one in re.findall(_STRING, found["arguments"])]
    return lambda header: function(_value(header, selector, text), given) is wanted


def _value(header: Any, selector: str, text: str) -> str:
    area, _, rest = selector.partition(".")
    of: Any = {"metric": header.metric, "resource": header.resource}.get(area)
    kind, _, name = rest.partition(".")
    if of is not None and rest == "type":
        found: str = of.type
        return found
    if of is not None and kind in ("label", "labels") and name:
        return str(of.labels.get(name, ""))
    raise _refused(text)


def _plain(quoted: str) -> str:
    return _ESCAPE.sub(lambda found: _ESCAPES.get(found[1], found[1]), quoted[1:-1])


def _refused(text: str) -> Refused:
    return invalid(f'Field filter had an invalid value of "{text}": it can\'t be read.')
