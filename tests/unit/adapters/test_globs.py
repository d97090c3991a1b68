"""Whether patterns meet, against all texts that are long enough to tell."""

from __future__ import annotations

import re
from itertools import product

from airflow_multicloud.adapters.globs import meet


def words(signs: str, longest: int) -> list[str]:
    return ["".join(word) for size in range(longest + 1) for word in product(signs, repeat=size)]


def test_patterns_meet_where_a_text_fits_both() -> None:
    texts = words("ab", 6)
    fitting = {}
    for pattern in words("ab*?", 3):
        regex = re.compile(pattern.replace("*", ".*").replace("?", "."))
        fitting[pattern] = frozenset(text for text in texts if regex.fullmatch(text))
    wrong = [
        (one, other)
        for one, its in fitting.items()
        for other, others in fitting.items()
        if meet(one, other) is not bool(its & others)
    ]
    assert wrong == []


def test_a_text_is_a_pattern_of_itself() -> None:
    assert meet("lake/sales/*", "lake/sales/private/*")
    assert meet("lake/*/private", "lake/sales/*")
    assert not meet("lake/private/*", "lake/sales/*")
    assert meet("", "")
    assert not meet("", "a")
