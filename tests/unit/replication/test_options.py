"""What a replication may be told: every limit at its edge, and who takes part."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from airflow_multicloud.core.replication.options import (
    CompareAttributes,
    ContentDigest,
    ObjectFilter,
    OnError,
    ReplicationOptions,
)
from airflow_multicloud.errors import ErrorKind, StorageError

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
MIB = 1024 * 1024


def refused(make: type, parameter: str, **given: Any) -> str:
    with pytest.raises(StorageError, match=rf"^{parameter}: ") as caught:
        make(**given)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    return str(caught.value)


class TestOptions:
    @pytest.mark.parametrize(
        ("parameter", "least"),
        [
            ("part_size", 1),
            ("large_object", 0),
            ("concurrency", 1),
            ("bandwidth_limit", 1),
            ("max_delete", 0),
        ],
    )
    def test_the_least(self, parameter: str, least: int) -> None:
        taken = ReplicationOptions(**{parameter: least})
        assert getattr(taken, parameter) == least
        said = refused(ReplicationOptions, parameter, **{parameter: least - 1})
        assert said == f"{parameter}: {least - 1} given, expected at least {least}"

    def test_memory_holds_a_part_and_a_small_object(self) -> None:
        ReplicationOptions(part_size=100, memory_limit=100)
        refused(ReplicationOptions, "memory_limit", part_size=100, memory_limit=99)
        ReplicationOptions(part_size=1, large_object=100, memory_limit=100)
        refused(ReplicationOptions, "memory_limit", part_size=1, large_object=100, memory_limit=99)

    def test_a_share_is_from_0_to_1(self) -> None:
        for share in (0, 0.5, 1):
            assert ReplicationOptions(min_success_ratio=share).min_success_ratio == share
        for share in (-0.01, 1.01):
            refused(ReplicationOptions, "min_success_ratio", min_success_ratio=share)

    def test_deleting_needs_a_maximum(self) -> None:
        said = refused(ReplicationOptions, "max_delete", delete_extraneous=True)
        assert said.startswith("max_delete: not given")
        assert ReplicationOptions(delete_extraneous=True, max_delete=0).delete_extraneous
        ReplicationOptions(max_delete=3)

    def test_above_which_size_parts_are_sent(self) -> None:
        assert ReplicationOptions(part_size=5).parts_above == 5
        assert ReplicationOptions(part_size=5, large_object=0).parts_above == 0

    def test_what_is_meant_when_nothing_is_said(self) -> None:
        """As the documentation says; nothing that deletes, replaces less or creates."""
        options = ReplicationOptions()
        assert options.part_size == 8 * MIB
        assert options.memory_limit == 24 * MIB
        assert options.concurrency == 16
        assert options.min_success_ratio == 1.0
        assert options.on_error is OnError.CONTINUE
        assert options.compare_attributes is CompareAttributes.AUTO
        assert options.digest is ContentDigest.SHA256
        assert not options.immutable
        assert not options.preserve_tags
        assert not options.delete_extraneous
        assert not options.create_buckets

    @pytest.mark.parametrize("parameter", ["on_error", "compare_attributes", "digest"])
    def test_a_word_is_one_that_exists(self, parameter: str) -> None:
        assert "'perhaps' given" in refused(ReplicationOptions, parameter, **{parameter: "perhaps"})

    def test_words_may_be_texts(self) -> None:
        words: Any = {"on_error": "fail", "compare_attributes": "never", "digest": "blake3"}
        options: Any = ReplicationOptions(**words)
        assert options.on_error is OnError.FAIL
        assert options.compare_attributes is CompareAttributes.NEVER
        assert options.digest is ContentDigest.BLAKE3


class TestFilter:
    def admitted(self, name: str = "a", size: int = 5, age: timedelta = DAY, **given: Any) -> bool:
        return ObjectFilter(**given).admits(name, size, NOW - age, now=NOW)

    def test_all_without_a_filter(self) -> None:
        assert self.admitted()

    @pytest.mark.parametrize(
        ("given", "inside", "outside"),
        [
            ({"min_size": 5}, {"size": 5}, {"size": 4}),
            ({"max_size": 5}, {"size": 5}, {"size": 6}),
            ({"max_size": 0}, {"size": 0}, {"size": 1}),
            ({"min_age": DAY}, {"age": DAY}, {"age": DAY - timedelta(microseconds=1)}),
            ({"max_age": DAY}, {"age": DAY}, {"age": DAY + timedelta(microseconds=1)}),
            ({"include": ["*.csv", "b*"]}, {"name": "b/x"}, {"name": "a.txt"}),
            ({"exclude": ["*.csv", "b*"]}, {"name": "a.txt"}, {"name": "b/x"}),
            (
                {"include": ["*.csv"], "exclude": ["b*"]},
                {"name": "a.csv"},
                {"name": "b.csv"},
            ),
        ],
    )
    def test_its_edge(
        self, given: dict[str, Any], inside: dict[str, Any], outside: dict[str, Any]
    ) -> None:
        assert self.admitted(**given, **inside)
        assert not self.admitted(**given, **outside)

    def test_contradictions(self) -> None:
        ObjectFilter(min_size=5, max_size=5, min_age=DAY, max_age=DAY)
        refused(ObjectFilter, "max_size", min_size=5, max_size=4)
        refused(ObjectFilter, "max_size", max_size=-1)
        refused(ObjectFilter, "min_size", min_size=-1)
        refused(ObjectFilter, "max_age", min_age=DAY, max_age=DAY - timedelta(seconds=1))
        ObjectFilter(min_size=0)

    def test_an_empty_list_is_refused(self) -> None:
        """A template that found nothing to do must not mean everything."""
        assert "leave it out" in refused(ObjectFilter, "include", include=[])
        assert ObjectFilter(exclude=[]).exclude == ()  # type: ignore[arg-type]
