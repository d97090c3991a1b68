"""Into how many parts an object is cut, at every store's limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_multicloud.core.replication.options import MIB
from airflow_multicloud.core.replication.parts import choose_part_size, cut, why_not_size
from airflow_multicloud.ports.object_store import PartLimits

GIB = 1 << 30
TIB = 1 << 40
S3 = PartLimits(
    put_limit=5 * GIB,
    min_part=5 * MIB,
    max_part=5 * GIB,
    max_parts=10_000,
    max_object=10_000 * 5 * GIB,
)
GCS = PartLimits(
    put_limit=5 * TIB, min_part=1, max_part=5 * TIB, max_parts=10_000, max_object=5 * TIB
)
AZURE = PartLimits(
    put_limit=5000 * MIB,
    min_part=1,
    max_part=4000 * MIB,
    max_parts=50_000,
    max_object=50_000 * 4000 * MIB,
)
CLOUDS = pytest.mark.parametrize("limits", [S3, GCS, AZURE], ids=["aws", "gcp", "azure"])


@given(
    limits=st.sampled_from((S3, GCS, AZURE)),
    size=st.integers(1, 200 * TIB),
    wanted=st.integers(1, 6 * GIB),
)
def test_every_object_that_a_store_takes_can_be_cut(
    limits: PartLimits, size: int, wanted: int
) -> None:
    if why_not_size(size, limits) is not None:
        assert size > limits.max_object
        return
    part_size = choose_part_size(size, wanted, limits)
    count = -(-size // part_size)
    assert limits.min_part <= part_size <= limits.max_part
    assert count <= limits.max_parts
    if limits.min_part <= wanted <= limits.max_part and -(-size // wanted) <= limits.max_parts:
        assert part_size == wanted


@CLOUDS
def test_the_default_part_serves_up_to_exactly_the_number_of_parts(limits: PartLimits) -> None:
    most = limits.max_parts * 8 * MIB
    assert choose_part_size(most, 8 * MIB, limits) == 8 * MIB
    assert choose_part_size(most + 1, 8 * MIB, limits) == 9 * MIB


@CLOUDS
def test_the_largest_object_is_taken_and_one_byte_more_refused(limits: PartLimits) -> None:
    assert why_not_size(limits.max_object, limits) is None
    part_size = choose_part_size(limits.max_object, 8 * MIB, limits)
    assert -(-limits.max_object // part_size) <= limits.max_parts
    assert str(limits.max_object) in (why_not_size(limits.max_object + 1, limits) or "")


@given(st.integers(0, 5000), st.integers(1, 100))
def test_parts_cover_the_object_without_gap_or_overlap(size: int, part_size: int) -> None:
    parts = list(cut(size, part_size))
    assert [p.number for p in parts] == list(range(1, len(parts) + 1))
    position = 0
    for part in parts:
        assert part.start == position < part.end
        position = part.end
    assert position == size
    assert all(p.end - p.start == part_size for p in parts[:-1])
