"""Items as shards keep them."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from airflow_multicloud.core.replication import items
from airflow_multicloud.core.replication.items import Item, Replica
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.object_store import Digests, IfUnchanged

NOW = datetime(2026, 1, 1, 12, 30, 15, 123456, tzinfo=UTC)

_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_maybe = st.none() | _text
_replicas = st.builds(
    Replica,
    prior=st.none() | st.builds(IfUnchanged, _text, _maybe),
    outcome=st.none() | st.sampled_from(Outcome),
    etag=_maybe,
    version=_maybe,
    confirmed=_maybe,
    kind=st.none() | st.sampled_from(ErrorKind),
    reason=_maybe,
    not_kept=st.lists(_text, max_size=2).map(tuple),
    doubtful=st.booleans(),
)
_items = st.builds(
    Item,
    name=_text,
    size=st.integers(0, 1 << 50),
    etag=_text,
    version=_maybe,
    modified=st.just(NOW),
    replicas=st.lists(_replicas, min_size=1, max_size=2).map(tuple),
    digests=st.builds(Digests, crc32c=_maybe, md5=_maybe, sha256=_maybe, blake3=_maybe),
)


@given(_items)
def test_an_item_survives_its_line(item: Item) -> None:
    line = items.dump(item)
    assert b"\n" not in line
    assert items.decoder.decode(line) == item
