"""Commits that are signed, and what the signature is about."""

from __future__ import annotations

import pytest

from airflow_multicloud.core.ledger import reading, trust, writing
from airflow_multicloud.core.ledger.base import base_of
from airflow_multicloud.core.ledger.names import place_of
from airflow_multicloud.core.ledger.signing import signing
from airflow_multicloud.core.signing import PredicateType
from airflow_multicloud.errors import ErrorKind, StorageError
from tests.unit.replication.memory import endpoint
from tests.unit.signing.keys import pair

from .made import draft, entry

OURS, OTHER = pair(1), pair(2)


def test_what_is_signed_is_the_root_and_says_where() -> None:
    end = endpoint()
    sign = signing(OURS.signer)
    for name in ("a", "b"):
        writing.commit(
            end,
            draft(),
            lambda name=name: [entry(name)],  # type: ignore[misc]
            base=base_of(end),
            known=lambda _: None,
            sign=sign,
        )
    first, second = reading.at(end, 1), reading.at(end, 2)
    assert first.signature is not None
    assert second.signature is not None
    said = OURS.keys.verify(second.signature)
    assert said.name == f"ledger of {place_of(end)} commit 2"
    assert said.sha256 == second.root
    assert said.predicate_type == PredicateType.LEDGER_COMMIT
    assert said.predicate == {"number": 2, "place": place_of(end), "previous": first.root}
    assert "previous" not in OURS.keys.verify(first.signature).predicate
    assert trust.check_signature(second, OURS.keys)
    with pytest.raises(StorageError) as caught:
        trust.check_signature(second, OTHER.keys)
    assert caught.value.kind is ErrorKind.INTEGRITY


def test_without_a_key_nothing_is_signed() -> None:
    assert signing(None) is None
