"""Names, attributes and units as Cloud Monitoring has them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_multicloud.clouds.gcp.metrics.naming import has, is_kept, labels_of, type_of, unit_of
from airflow_multicloud.ports.accounting import ConversionKind

TYPE = re.compile(r"custom\.googleapis\.com(/[A-Za-z0-9_.]+){2,}")
KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}")
SHOWN = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1)


@pytest.mark.parametrize("name", ["multicloud.bytes", "a/b.c", "x_1", "9"])
def test_what_fits_is_kept(name: str) -> None:
    assert type_of("airflow", name) == (f"custom.googleapis.com/airflow/{name}", ())


@pytest.mark.parametrize(
    ("namespace", "name"),
    [
        ("airflow", "Größe of/things, in %"),
        ("a/b", "c"),
        ("airflow", "/a//b/"),
        ("airflow", "n" * 300),
        ("n" * 300, "n" * 300),
    ],
)
def test_what_does_not_fit_is_changed_and_told(namespace: str, name: str) -> None:
    found, changes = type_of(namespace, name)
    assert TYPE.fullmatch(found)
    assert len(found) <= 200
    assert [change.what for change in changes] == [ConversionKind.NAME_CHANGED]


@settings(max_examples=50, deadline=None)
@given(SHOWN, SHOWN)
def test_every_name_becomes_a_type(namespace: str, name: str) -> None:
    found, changes = type_of(namespace, name)
    assert TYPE.fullmatch(found)
    assert len(found) <= 200
    assert bool(changes) is (found != f"custom.googleapis.com/{namespace}/{name}")


def test_other_names_are_other_types() -> None:
    """Also where what is left of them is the same, or a slash lies elsewhere."""
    pairs = [("a", "b c"), ("a", "b-c"), ("a", "b_c"), ("a/b", "c"), ("a", "b/c"), ("a_b", "c")]
    pairs += [("a", "n" * 200), ("a", "n" * 201)]
    assert len({type_of(*pair)[0] for pair in pairs}) == len(pairs)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(SHOWN, st.text(max_size=20) | st.integers() | st.booleans(), max_size=6))
def test_every_attribute_is_found_again(attributes: dict[str, str | int | bool]) -> None:
    labels, changes = labels_of(attributes)
    assert all(KEY.fullmatch(key) for key in labels)
    assert len(labels) == len(attributes)
    assert all(has(labels, name, value) for name, value in attributes.items())
    renamed = any(change.what is ConversionKind.ATTRIBUTE_RENAMED for change in changes)
    assert renamed is not all(is_kept(name) for name in attributes)


def test_attributes_that_would_share_a_key() -> None:
    labels, _ = labels_of({"a.b": "1", "a_b": "2", "a-b": "3", "c.d": "4"})
    assert labels.keys() >= {"a_b", "c_d"}
    assert labels["a_b"] == "2"
    assert not has(labels, "a.b", "2")
    assert has(labels, "a-b", "3")
    assert sorted(labels.values()) == ["1", "2", "3", "4"]


def test_values() -> None:
    """Long ones are cut and stay apart; an empty one is as good as none, and told."""
    long = [f"{'v' * 2000}{end}" for end in "ab"]
    labels, changes = labels_of({"a": long[0], "b": long[1], "c": "", "d": True, "e": 1.5})
    assert {change.what for change in changes} == {
        ConversionKind.ATTRIBUTE_CUT,
        ConversionKind.ATTRIBUTE_LOST,
    }
    assert labels["a"] != labels["b"]
    assert all(len(value) <= 1024 for value in labels.values())
    assert (labels["d"], labels["e"]) == ("true", "1.5")
    assert has({}, "c", "")
    assert has(labels, "a", long[0])
    assert not has(labels, "a", long[1])


@pytest.mark.parametrize(
    "unit", ["", "By", "1", "s", "{object}", "MiBy/s", "%", "By{sent}/h", "k1/d"]
)
def test_units_that_are_known(unit: str) -> None:
    assert unit_of(unit) == (unit, ())


@pytest.mark.parametrize("unit", ["Cel", "bytes", "{a b}", "By/", "furlong"])
def test_units_that_are_not(unit: str) -> None:
    found, changes = unit_of(unit)
    assert found == ""
    assert [change.what for change in changes] == [ConversionKind.UNIT_LOST]
