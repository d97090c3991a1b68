"""A signature vouches for a ledger to whoever has the public key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.core.ledger import writing
from airflow_multicloud.core.ledger.base import base_of
from airflow_multicloud.core.ledger.commits import Commit, Step
from airflow_multicloud.core.ledger.names import commit_key
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.under_way import Clock
from airflow_multicloud.core.replication.verification import verify
from airflow_multicloud.core.signing import PredicateType, PublicKeys, Statement
from airflow_multicloud.errors import ErrorKind, StorageError
from tests.unit.ledger.made import commit, draft
from tests.unit.signing.keys import pair

from .memory import ledger, world

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_multicloud.core.endpoints import Endpoint

OURS, THEIRS = pair(1), pair(2)


def sign(commit: Commit, root: str) -> bytes:
    kind = PredicateType.LEDGER_COMMIT
    return OURS.signer.sign(Statement(f"{commit.place} {commit.number}", root, kind, {}))


def signed(there: Endpoint, step: Step = Step.END) -> None:
    writing.commit(
        there,
        draft("signed", step, prefix="copy/"),
        lambda: iter(()),
        base=base_of(there),
        known=lambda _: None,
        sign=sign,
    )


@pytest.fixture
def there() -> Endpoint:
    made = world({"a": b"1"})
    replicate(made.replication())
    signed(made.destinations[0])
    return made.destinations[0]


def refused(there: Endpoint, keys: PublicKeys, why: str) -> None:
    with pytest.raises(StorageError, match=why) as raised:
        verify(there, public_keys=keys)
    assert raised.value.kind is ErrorKind.INTEGRITY
    assert ledger(there).uri in str(raised.value)


def test_by_one_of_the_keys(there: Endpoint) -> None:
    report = verify(there, public_keys=OURS.keys)
    assert (report.proven, report.signed) == (True, True)
    assert report.signed_by == tuple(OURS.keys.keys)
    both = PublicKeys.from_pem(THEIRS.public + OURS.public)
    assert verify(there, public_keys=both).signed_by == (OURS.signer.key_id,)
    told = verify(there)
    assert (told.signed, told.signed_by) == (True, ())


def test_by_another_key(there: Endpoint) -> None:
    refused(there, THEIRS.keys, "no allowed key has made it")


def test_none(there: Endpoint) -> None:
    commit(there, [], this=draft(prefix="copy/"))
    refused(there, OURS.keys, "it is not signed")
    assert verify(there).signed is False


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (lambda line, _: line.replace(b"run-signed", b"run-forged"), "is about"),
        (lambda _, envelope: envelope[:-3], "the signature does not count"),
        (lambda _, envelope: b"{}", "the signature does not count"),
    ],
)
def test_of_something_else(
    there: Endpoint, edit: Callable[[bytes, bytes], bytes], why: str
) -> None:
    key = commit_key(ledger(there).commit.number)
    line, envelope, _ = bytes(there.store.get_object(there.ref(key)).read()).split(b"\n")
    edited = edit(line, envelope)
    lines = (edited, envelope) if edited.startswith(b'{"format') else (line, edited)
    there.store.put_object(there.ref(key), b"\n".join(lines) + b"\n")
    refused(there, OURS.keys, why)


def test_a_commit_that_comes_meanwhile_must_be_signed_too(there: Endpoint) -> None:
    signed(there, Step.BEGIN)
    there.store.put_object(there.ref("copy/a"), b"?")

    def sleep(_: float) -> None:
        commit(there, [], this=draft("unsigned", prefix="copy/"))

    with pytest.raises(StorageError, match="it is not signed"):
        verify(there, public_keys=OURS.keys, clock=Clock(sleep=sleep))
