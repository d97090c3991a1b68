"""Names and values in Azure Monitor: what is cut stays apart, and no text is part of a query."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_multicloud.clouds.azure.kql import literal, moment
from airflow_multicloud.clouds.azure.metrics import custom, naming
from airflow_multicloud.testing.local_clouds.azure.logs.kql.lexing import words


@given(st.text())
def test_a_literal_is_one_word_that_says_the_text(text: str) -> None:
    word, end = words(literal(text))
    assert (word.kind, word.value) == ("literal", text)
    assert end.kind == "end"


@given(st.text())
def test_a_literal_has_no_line_end_and_no_quote_of_its_own(text: str) -> None:
    written = literal(text)
    assert written.isprintable()
    assert len(written.splitlines()) == 1


@given(st.datetimes(timezones=st.just(UTC)) | st.datetimes(timezones=st.timezones()))
def test_a_moment_is_exact(time: datetime) -> None:
    try:
        asked = time.astimezone(UTC)
    except OverflowError:  # no time of UTC's
        return
    word, _ = words(moment(time))
    assert word.value == asked


def test_a_moment_of_another_zone() -> None:
    time = datetime(2026, 1, 2, 3, 4, 5, 6, timezone(timedelta(hours=2)))
    assert moment(time) == "datetime(2026-01-02T01:04:05.000006Z)"


@given(st.text(max_size=40), st.text(max_size=40), st.integers(18, 30))
def test_what_is_cut_fits_and_stays_apart(one: str, other: str, most: int) -> None:
    cut = [naming.fitted(text, most) for text in (one, other)]
    assert all(len(text) <= most for text in cut)
    assert (cut[0] == cut[1]) == (one == other)


def test_what_looks_cut_is_cut_again() -> None:
    cut = naming.fitted("x" * 31, 30)
    assert naming.fitted(cut, 30) != cut
    assert len(naming.fitted(cut, 30)) == 30
    assert naming.fitted(cut, 31) == cut


@given(st.text(max_size=300), st.text(max_size=300))
def test_names_of_custom_metrics_are_safe_and_stay_apart(one: str, other: str) -> None:
    safe = [custom.safe_name(text) for text in (one, other)]
    assert not any(custom._OTHERS.search(text) for text in safe)
    assert all(len(text) <= 256 for text in safe)
    assert custom.safe_name(one) == safe[0]
    assert (safe[0] == safe[1]) == (one == other)


@pytest.mark.parametrize("name", ["a b", "x" * 257, "é" * 300])
def test_a_name_that_is_anothers_replacement_is_replaced(name: str) -> None:
    safe = custom.safe_name(name)
    assert custom.safe_name(safe) not in (safe, name)


@pytest.mark.parametrize(
    ("names", "kept"),
    [
        (("a/b", "a_b"), ("a_b_", "a_b")),
        (("a/b", "a,b"), ("a_b_", "a_b_")),
    ],
)
def test_two_names_do_not_become_one(names: tuple[str, str], kept: tuple[str, str]) -> None:
    found = [custom.safe_name(name) for name in names]
    assert found[0] != found[1]
    assert all(name.startswith(start) for name, start in zip(found, kept, strict=True))
