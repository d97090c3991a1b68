"""Names and values as CloudWatch takes them: never two that become one."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from airflow_multicloud.clouds.aws.metrics.naming import (
    check_namespace,
    cut,
    read,
    unit_of,
    written,
)
from airflow_multicloud.errors import ErrorKind, MetricsError

# Backslashes and what escapes are made of, often.
TEXTS = st.text() | st.text(alphabet="\\xuU-0fcüé🚀 :\n")


@given(TEXTS)
def test_they_are_printable_ascii_and_can_be_read(text: str) -> None:
    found = written(text)
    assert found.isascii()
    assert found.isprintable()
    assert found.strip()
    assert not found.startswith(":")
    assert read(found) == text


@given(TEXTS, TEXTS)
def test_two_stay_two(one: str, other: str) -> None:
    assume(one != other)
    assert written(one) != written(other)
    assert (
        cut(written(one * 300), 255) != cut(written(other * 300), 255) or one * 300 == other * 300
    )


@pytest.mark.parametrize("text", ["multicloud.bytes", "C:\\temp", "a b", "ends with \\", "=1+1"])
def test_what_cloudwatch_takes_stays_as_it_is(text: str) -> None:
    assert written(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("grüße", r"gr\xfc\xdfe"),
        ("日", r"\u65e5"),
        ("🚀", r"\U0001f680"),
        (r"\xfc", r"\\xfc"),
        ("\\ü", r"\\\xfc"),
        ("", r"\-"),
        (r"\-", r"\\-"),
        (" ", r"\x20"),
        (":a", r"\x3aa"),
        ("\n", r"\x0a"),
        ("\ud800", r"\ud800"),
    ],
)
def test_what_it_does_not_take_is_escaped(text: str, expected: str) -> None:
    assert written(text) == expected
    assert read(expected) == text


def test_what_others_wrote_is_read_as_it_is() -> None:
    assert read(r"\Uffffffff \q \x") == r"\Uffffffff \q \x"


@pytest.mark.parametrize("longest", [255, 1024])
def test_long_ones_are_cut_to_the_length_allowed(longest: int) -> None:
    assert len(cut("x" * 5000, longest)) == longest
    assert cut("x" * longest, longest) == "x" * longest


def test_prefixes_of_units_are_powers_of_ten() -> None:
    assert unit_of("kBy") == ("Kilobytes", True)
    assert unit_of("KiBy") == ("None", False)
    assert unit_of("{request}/s") == ("Count/Second", False)


@pytest.mark.parametrize("namespace", ["a", "Multicloud/Runs #1", "x" * 255, "a:b"])
def test_namespaces(namespace: str) -> None:
    check_namespace(namespace)


@pytest.mark.parametrize("namespace", ["", " ", ":a", "AWS/EC2", "x" * 256, "ü", "a\n", "a\x1b"])
def test_no_namespaces(namespace: str) -> None:
    with pytest.raises(MetricsError, match="namespace: ") as caught:
        check_namespace(namespace)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
