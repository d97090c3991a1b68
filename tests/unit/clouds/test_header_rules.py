"""What is left out of metadata that is too much does not depend on the order it comes in."""

from __future__ import annotations

from itertools import permutations

from airflow_multicloud.adapters.attributes import HeaderRules, encode_value
from airflow_multicloud.ports.object_store import ObjectAttributes

RULES = HeaderRules(
    store="A store",
    cloud="a-cloud",
    check_name=lambda name: None,
    encode=encode_value,
    most_metadata=20,
)


def test_the_same_entries_are_left_out_each_time() -> None:
    entries = [("a", "x" * 9), ("b", "x" * 9), ("c", "x" * 9), ("d", "x")]
    for order in permutations(entries):
        fitted = RULES.fit(ObjectAttributes(metadata=dict(order)))
        assert fitted.not_kept == ("metadata:c", "metadata:d")
        assert dict(fitted.attributes.metadata) == dict(entries[:2])
