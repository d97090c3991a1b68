"""The chain of evidence: what is written, and what somebody may have done to it since."""

from __future__ import annotations

import hashlib
import json
import subprocess
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.core.drill import records
from airflow_multicloud.core.drill.chain import StoredRecord, newest, read, store
from airflow_multicloud.core.drill.chain_reports import (
    MAX_FOUND,
    EvidenceReport,
    Expected,
    Flaw,
)
from airflow_multicloud.core.drill.checking import check_chain
from airflow_multicloud.core.drill.evidence import Anchor, Evidence
from airflow_multicloud.core.drill.objectives import Objectives
from airflow_multicloud.core.drill.records import key_of
from airflow_multicloud.core.drill.verdict import Verdict
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.signing import PredicateType, Signer, Statement
from airflow_multicloud.errors import ErrorKind, RetentionError, StorageError
from airflow_multicloud.ports.object_store import (
    ConditionKind,
    Digests,
    ObjectMeta,
    ObjectRef,
    WriteOptions,
)
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.replication.memory import endpoint
from tests.unit.signing.keys import pair

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typing_extensions import Buffer

OURS, OTHER = pair(1), pair(2)
HOUR = timedelta(hours=1)
AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
ANCHOR = Anchor("gs://lake/sales/", 17, "ab" * 32)


def drill(number: int, verdict: Verdict = Verdict.PASSED) -> Evidence:
    return Evidence(
        drill_id=f"drill-{number}",
        verdict=verdict,
        objectives=Objectives(HOUR, HOUR),
        run={"triggered by": "Ada ü"},
        versions={"airflow-multicloud": "0.1.0"},
        measurement={
            "fault": "unavailable",
            "fault_at": AT.isoformat(),
            "recovered": None,
            "problem": None,
            "reason": None,
            "took_seconds": 1.0,
            "rto_seconds": None,
            "rpo_seconds": None,
            "clock_ahead_seconds": None,
            "policy": {
                "fail_over_on": ["unavailable"],
                "attempt_timeout_seconds": 300.0,
                "deadline_seconds": 3600.0,
                "require_digest": False,
            },
            "canary_found": True,
            "controls": [],
            "failback": True,
            "identities": [],
        },
        replication=[],
        verification=[],
        canary={"written_at": AT.isoformat(), "sha256": "0" * 64},
        written_at=AT + timedelta(days=number),
        anchors=(ANCHOR,),
    )


@dataclass(frozen=True)
class Chain:
    """Records in a bucket, and the means of somebody who may write there."""

    place: Endpoint
    stored: tuple[StoredRecord, ...]

    @classmethod
    def of(
        cls,
        count: int = 4,
        signer: Signer | None = OURS.signer,
        hook: type[object_store.Hook] = object_store.Hook,
    ) -> Chain:
        place = endpoint("data/", hook)
        return cls(place, tuple(store(drill(n), place, signer) for n in range(1, count + 1)))

    def get(self, key: str) -> bytes:
        return bytes(self.place.store.get_object(self.place.ref(key)).read())

    def put(self, key: str, body: bytes) -> None:
        self.place.store.put_object(self.place.ref(key), body)

    def delete(self, key: str) -> None:
        self.place.store.delete_object(self.place.ref(key))

    def edit(self, number: int, old: bytes, new: bytes) -> None:
        body = self.get(key_of(number))
        assert old in body
        self.put(key_of(number), body.replace(old, new))

    def check(self, **expected: Any) -> EvidenceReport:
        return check_chain(self.place, Expected(**expected))

    def signed(self, **expected: Any) -> EvidenceReport:
        return self.check(keys=OURS.keys, **expected)


@pytest.fixture
def chain() -> Chain:
    return Chain.of()


def test_a_chain_is_sound_as_it_was_written(chain: Chain) -> None:
    assert [one.number for one in chain.stored] == [1, 2, 3, 4]
    newest = chain.stored[-1]
    report = chain.signed(at_least=4, sha256=newest.sha256)
    assert report.sound, report.found
    assert (report.records, report.newest, report.signed) == (4, 4, 4)
    assert (report.sha256, report.notes, report.found) == (newest.sha256, (), ())
    assert report.place == str(chain.place.location.with_key(""))
    for one in chain.stored:
        body = chain.get(key_of(one.number))
        assert hashlib.sha256(body).hexdigest() == one.sha256
        assert one.uri.endswith(key_of(one.number))
        assert chain.check(sha256=one.sha256).sound
    # Without a key no signature is looked at.
    assert chain.check().signed == 0


def test_a_record_is_readable_json_that_names_the_one_before(chain: Chain) -> None:
    first, second = (json.loads(chain.get(key_of(number))) for number in (1, 2))
    assert first["chain"]["previous"] is None
    page = hashlib.sha256(chain.get(key_of(2, "html"))).hexdigest()
    assert second["chain"] == {
        "number": 2,
        "cloud": chain.place.cloud,
        "bucket": chain.place.bucket_and_store,
        "previous": {"key": key_of(1), "sha256": chain.stored[0].sha256},
        "page": {"key": key_of(2, "html"), "sha256": page},
        "siblings": [],
    }
    assert second["anchors"] == [{"uri": ANCHOR.uri, "commit": 17, "root": ANCHOR.root}]
    assert second["drill_id"] == "drill-2"
    end = replace(chain.place, location=chain.place.location.with_key(key_of(2)))
    assert read(end) == drill(2)


def test_other_programs_can_check_a_signature(chain: Chain, tmp_path: Path) -> None:
    """By the second line of the file, and all others: with sed, sha256sum and openssl."""
    file, public = tmp_path / "record.json", tmp_path / "signing.pub"
    file.write_bytes(chain.get(key_of(2)))
    public.write_bytes(OURS.public)
    signed = subprocess.run(["sed", "2d", str(file)], capture_output=True, check=True).stdout
    envelope = json.loads(file.read_bytes())["signature"]
    statement = OURS.keys.verify(json.dumps(envelope).encode())
    assert statement == Statement(
        name=key_of(2),
        sha256=hashlib.sha256(signed).hexdigest(),
        predicate_type=PredicateType.DRILL_EVIDENCE,
        predicate={
            "number": 2,
            "drill_id": "drill-2",
            "verdict": "PASSED",
            "written_at": drill(2).written_at.isoformat(),
        },
    )


def test_a_record_has_the_same_bytes_without_its_signature() -> None:
    one, other = Chain.of(1), Chain.of(1, None)
    lines = one.get(key_of(1)).split(b"\n")
    names = [chain.place.store_name.encode() for chain in (other, one)]
    assert b"\n".join(lines[:1] + lines[2:]) == other.get(key_of(1)).replace(*names)


def test_the_same_evidence_is_stored_once(chain: Chain) -> None:
    """As when the answer to the first write was lost, or two places are one bucket."""
    again = store(drill(4), chain.place, OURS.signer)
    assert again == chain.stored[-1]
    assert chain.signed().records == 4


def test_two_drills_at_once_both_have_a_record() -> None:
    class Slow(object_store.Hook):
        """Another drill ends between this one's listing and its write."""

        def list_objects(self, bucket: str, prefix: str = "") -> Any:
            found = [*super().list_objects(bucket, prefix)]
            if not found:
                store(drill(7), replace(place, store=fast), OURS.signer)
                store(drill(8), replace(place, store=fast), OURS.signer)
            return iter(found)

    place = endpoint("data/", Slow)
    fast = object_store.Hook(place.location.conn_id or "")
    assert store(drill(9), place, OURS.signer).number == 3
    report = check_chain(place, Expected(OURS.keys))
    assert report.sound, report.found
    assert report.records == 3


def test_others_that_are_always_faster_are_an_error_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("airflow_multicloud.core.drill.chain._TRIES", 3)
    chain = Chain.of(0)
    for number in range(1, 6):
        chain.put(key_of(number), b"{}")

    class Blind(object_store.Hook):
        def list_objects(self, bucket: str, prefix: str = "") -> Any:
            return iter(())

    place = replace(chain.place, store=Blind(chain.place.location.conn_id or ""))
    with pytest.raises(StorageError, match="3 other records were added") as raised:
        store(drill(1), place)
    assert raised.value.kind is ErrorKind.BUSY


class LosesAnswers(object_store.Hook):
    """Each write is done, and sent once more because its answer got lost."""

    def put_object(
        self,
        ref: ObjectRef,
        body: Buffer,
        options: WriteOptions = WriteOptions(),
        *,
        digests: Digests = Digests(),
    ) -> ObjectMeta:
        super().put_object(ref, body, options, digests=digests)
        return super().put_object(ref, body, options, digests=digests)


class Retains(object_store.Hook):
    """A bucket under retention that says so before it looks at the condition."""

    def put_object(
        self,
        ref: ObjectRef,
        body: Buffer,
        options: WriteOptions = WriteOptions(),
        *,
        digests: Digests = Digests(),
    ) -> ObjectMeta:
        try:
            return super().put_object(ref, body, options, digests=digests)
        except StorageError as err:
            raise RetentionError(str(err), kind=ErrorKind.PERMISSION_DENIED) from err

    def delete_object(self, ref: ObjectRef, *, condition: Any = None) -> None:
        raise RetentionError("retained", kind=ErrorKind.PERMISSION_DENIED)


class RetainsAndLoses(LosesAnswers, Retains):
    pass


class Unconditional(object_store.Hook):
    @property
    def write_conditions(self) -> frozenset[ConditionKind]:
        return frozenset()


@pytest.mark.parametrize("hook", [LosesAnswers, Retains, RetainsAndLoses, Unconditional])
def test_every_kind_of_store_holds_a_chain(hook: type[object_store.Hook]) -> None:
    chain = Chain.of(3, hook=hook)
    assert chain.signed(at_least=3).sound
    assert store(drill(3), chain.place, OURS.signer) == chain.stored[-1]


def test_a_write_that_is_overwritten_at_once_is_written_again() -> None:
    class Overwritten(Unconditional):
        done = False

        def put_object(self, ref: ObjectRef, body: Buffer, *args: Any, **options: Any) -> Any:
            written = super().put_object(ref, body, *args, **options)
            if not Overwritten.done and ref.key == key_of(1):
                Overwritten.done = True
                super().put_object(ref, b"another drill's")
            return written

    place = endpoint("data/", Overwritten)
    assert store(drill(1), place).number == 2


def test_a_killed_drill_leaves_a_chain_that_goes_on() -> None:
    chain = Chain.of(2)
    chain.delete(key_of(2, "html"))  # It died before it wrote the page.
    assert store(drill(3), chain.place, OURS.signer).number == 3
    report = chain.signed(at_least=3)
    assert report.sound, report.found
    assert report.notes == (f"record 2 has lost its page ({key_of(2, 'html')})",)


def test_the_key_of_a_page_that_is_taken_is_an_error() -> None:
    chain = Chain.of(1)
    chain.put(key_of(2, "html"), b"<h1>PASSED")
    with pytest.raises(StorageError, match="is not the page of this record") as raised:
        store(drill(2), chain.place)
    assert raised.value.kind is ErrorKind.ALREADY_EXISTS
    assert chain.check().findings == {Flaw.CHANGED: 1}


def sentences(report: EvidenceReport) -> str:
    assert not report.sound
    assert len(report.found) == sum(report.findings.values())
    return "\n".join(report.found)


def test_an_edited_record_is_noticed_by_the_next_one() -> None:
    chain = Chain.of(4, None)
    chain.edit(2, b'"drill-2"', b'"drill-X"')
    report = chain.check()
    assert report.findings == {Flaw.CHANGED: 1}
    assert "record 2 is not the one that record 3 was chained to" in sentences(report)


def test_an_edited_newest_record_is_noticed_by_its_signature(chain: Chain) -> None:
    chain.edit(4, b'"PASSED"', b'"FAILED_RTO"')
    report = chain.signed()
    assert report.findings == {Flaw.UNSIGNED: 1}
    assert report.signed == 3
    assert "record 4: its signature is about other bytes" in sentences(report)
    # Whoever knows neither key nor digest can't tell.
    assert chain.check().sound
    known = chain.stored[-1].sha256
    report = chain.check(sha256=known)
    assert report.findings == {Flaw.NOT_THE_NEWEST: 1}
    assert f"no record has the SHA-256 {known}" in sentences(report)


def test_a_dropped_record_is_noticed(chain: Chain) -> None:
    chain.delete(key_of(2))
    report = chain.signed()
    assert report.findings == {Flaw.MISSING: 1}
    assert sentences(report) == "record 2 is missing"
    assert report.notes == (f"{key_of(2, 'html')} is a page without a record",)


def test_a_dropped_beginning_is_noticed(chain: Chain) -> None:
    chain.delete(key_of(1))
    chain.delete(key_of(2))
    report = chain.signed()
    assert report.findings == {Flaw.MISSING: 2}
    assert report.found == ("records 1 to 2 are missing",)


def test_a_dropped_end_is_noticed_by_who_knows_of_it(chain: Chain) -> None:
    chain.delete(key_of(4))
    chain.delete(key_of(3))
    assert chain.signed().sound
    report = chain.signed(at_least=4)
    assert report.findings == {Flaw.NOT_THE_NEWEST: 1}
    assert "the newest record is 2, and record 4 was written" in sentences(report)
    assert not chain.signed(sha256=chain.stored[2].sha256).sound
    assert chain.signed(at_least=2, sha256=chain.stored[1].sha256).sound


def test_a_chain_that_was_rolled_back_and_went_on_is_noticed(chain: Chain) -> None:
    for number in (3, 4):
        for suffix in ("json", "html"):
            chain.delete(key_of(number, suffix))
    for number in (5, 6):
        store(drill(number), chain.place, OURS.signer)
    assert chain.signed(at_least=4).sound
    assert not chain.signed(sha256=chain.stored[3].sha256).sound


def test_records_in_another_order_are_noticed(chain: Chain) -> None:
    second, third = chain.get(key_of(2)), chain.get(key_of(3))
    chain.put(key_of(2), third)
    chain.put(key_of(3), second)
    report = chain.signed()
    assert report.findings[Flaw.MISPLACED] >= 2
    assert "record 2 says it is number 3 in the bucket" in "\n".join(report.found)


def test_a_number_that_is_there_twice_is_noticed(chain: Chain) -> None:
    chain.put(key_of(5), chain.get(key_of(4)))
    report = chain.signed()
    assert report.findings[Flaw.MISPLACED] == 2
    assert "record 5 says it is number 4" in "\n".join(report.found)


def test_a_chain_of_another_bucket_is_noticed(chain: Chain) -> None:
    other = replace(chain, place=replace(chain.place, cloud="another"))
    report = other.signed()
    assert report.findings == {Flaw.MISPLACED: 4}
    assert (
        f"in the bucket {chain.place.bucket_and_store!r} ({chain.place.cloud})" in report.found[0]
    )


@pytest.mark.parametrize(
    "signer", [None, OTHER.signer], ids=["not signed", "signed with another key"]
)
def test_a_forged_chain_is_noticed(signer: Signer | None) -> None:
    chain = Chain.of(3, signer)
    assert chain.check().sound
    report = chain.signed()
    assert report.findings == {Flaw.UNSIGNED: 3}
    said = sentences(report)
    assert ("it is not signed" if signer is None else OTHER.signer.key_id) in said


def test_a_record_without_its_signature_is_noticed(chain: Chain) -> None:
    lines = chain.get(key_of(4)).split(b"\n")
    chain.put(key_of(4), b"\n".join(lines[:1] + lines[2:]))
    assert sentences(chain.signed()) == "record 4: it is not signed"


def test_a_signature_of_another_record_does_not_count(chain: Chain) -> None:
    third, fourth = (chain.get(key_of(n)).split(b"\n") for n in (3, 4))
    chain.put(key_of(4), b"\n".join([fourth[0], third[1], *fourth[2:]]))
    said = sentences(chain.signed())
    assert said == f"record 4: its signature is about other bytes ({key_of(3)} as it was signed)"


def test_a_signature_for_another_purpose_does_not_count(chain: Chain) -> None:
    """The same key signs commits of ledgers: one of these, about this very file."""
    lines = chain.get(key_of(4)).split(b"\n")
    signed = b"\n".join(lines[:1] + lines[2:])
    sha256 = hashlib.sha256(signed).hexdigest()
    envelope = OURS.signer.sign(
        Statement(key_of(4), sha256, PredicateType.LEDGER_COMMIT, {"number": 4})
    )
    chain.put(key_of(4), b"\n".join([lines[0], b'  "signature": ' + envelope + b",", *lines[2:]]))
    assert "what was signed is no drill evidence" in sentences(chain.signed())


def test_a_second_signature_line_hides_nothing(chain: Chain) -> None:
    """JSON readers take the last of two members: it is part of what must have been signed."""
    lines = chain.get(key_of(4)).split(b"\n")
    chain.put(key_of(4), b"\n".join([*lines[:2], b'  "verdict": "INVALID",', *lines[2:]]))
    assert "about other bytes" in sentences(chain.signed())


def test_signatures_can_begin_later() -> None:
    chain = Chain.of(2, None)
    store(drill(3), chain.place, OURS.signer)
    assert chain.signed().findings == {Flaw.UNSIGNED: 2}
    report = chain.signed(signed_from=3)
    assert (report.sound, report.signed) == (True, 1)
    # And what came before can't change unnoticed any more.
    chain.edit(1, b'"drill-1"', b'"drill-X"')
    assert not chain.signed(signed_from=3).sound


def test_a_changed_page_is_noticed(chain: Chain) -> None:
    chain.put(key_of(2, "html"), chain.get(key_of(2, "html")).replace(b"drill-2", b"drill-X"))
    report = chain.signed()
    assert report.findings == {Flaw.CHANGED: 1}
    assert "the page of record 2 is not the one it was written with" in sentences(report)


def witnessed(signer: Signer | None = OURS.signer) -> tuple[Chain, Chain]:
    """Two buckets of the same three drills; each record of the second names one of the first."""
    first = Chain.of(0)
    second = Chain(replace(endpoint("data/"), cloud="another"), ())
    for number in (1, 2, 3):
        store(drill(number), first.place, signer)
        known = newest(first.place)
        assert known is not None
        store(drill(number), second.place, signer, [known])
    return first, second


def test_a_witness_agrees_with_a_chain_that_is_whole() -> None:
    first, second = witnessed()
    assert newest(endpoint("data/")) is None
    for witness in (first, second):
        report = check_chain(first.place, Expected(OURS.keys), [witness.place])
        assert report.sound, report.found
    # More than the witness knows is no flaw: it may have been out of reach.
    store(drill(4), first.place, OURS.signer)
    assert check_chain(first.place, Expected(OURS.keys), [second.place]).sound


def test_a_witness_knows_of_a_dropped_end() -> None:
    first, second = witnessed()
    first.delete(key_of(3))
    assert first.signed().sound
    report = check_chain(first.place, Expected(OURS.keys), [second.place])
    assert report.findings == {Flaw.NOT_THE_NEWEST: 1}
    bucket = second.place.location.with_key("")
    assert sentences(report) == f"record 3 of {bucket} knows a record 3, which is not here"


def test_a_witness_knows_of_a_chain_that_was_rolled_back_and_went_on() -> None:
    first, second = witnessed()
    for number in (2, 3):
        for suffix in ("json", "html"):
            first.delete(key_of(number, suffix))
    for number in (5, 6):
        store(drill(number), first.place, OURS.signer)
        known = newest(first.place)
        assert known is not None
        store(drill(number), second.place, OURS.signer, [known])
    assert first.signed().sound
    report = check_chain(first.place, Expected(OURS.keys), [second.place])
    assert report.findings == {Flaw.CHANGED: 2}
    assert "knows a record 2 with another SHA-256" in sentences(report)


def test_what_a_witness_did_not_sign_is_no_testimony() -> None:
    first, second = witnessed(None)
    first.delete(key_of(3))
    expected = Expected(OURS.keys, signed_from=9)
    assert check_chain(first.place, expected, [second.place]).sound
    # Without a key it is heard.
    assert not check_chain(first.place, Expected(), [second.place]).sound
    # What is damaged says nothing, and ends nothing.
    second.put(key_of(3), b"\xff")
    assert check_chain(first.place, Expected(), [second.place]).sound


def test_what_a_witness_says_of_a_bucket_of_the_same_name_is_no_matter() -> None:
    """Two accounts may have such: a record that knows both is right about one of them."""
    first, second = witnessed()
    known = newest(first.place)
    assert known is not None
    namesake = replace(known, number=9, sha256="0" * 64)
    store(drill(4), second.place, OURS.signer, [namesake, known])
    assert check_chain(first.place, Expected(OURS.keys), [second.place]).sound
    store(drill(5), second.place, OURS.signer, [namesake])
    report = check_chain(first.place, Expected(OURS.keys), [second.place])
    assert report.findings == {Flaw.NOT_THE_NEWEST: 1}


def test_what_a_witness_says_of_another_bucket_is_no_matter() -> None:
    first, second = witnessed()
    other = replace(first.place, cloud="a third")
    found = check_chain(other, Expected(), [second.place]).findings
    assert set(found) == {Flaw.MISPLACED}


UNREADABLE: list[Callable[[bytes], bytes]] = [
    lambda body: b"",
    lambda body: b"\xff" + body,
    lambda body: body[: len(body) // 2],
    lambda body: b"[" * 100_000,
    lambda body: b'{"format_version": 1, "x": ' + b"[" * 100_000,
    lambda body: b"[]",
    lambda body: b"{}",
    lambda body: body.replace(b'"format_version": 3', b'"format_version": 4'),
    lambda body: body.replace(b'"chain": {', b'"chained": {'),
    lambda body: body.replace(b'"number": 3', b'"number": "3"'),
    lambda body: body.replace(b'"number": 3', b'"number": ' + b"9" * 5000),
    lambda body: body.replace(b'"verdict": "PASSED"', b'"verdict": "GREAT"'),
]


@pytest.mark.parametrize("damage", UNREADABLE)
def test_what_is_no_record_costs_only_itself(
    chain: Chain, damage: Callable[[bytes], bytes]
) -> None:
    chain.put(key_of(3), damage(chain.get(key_of(3))))
    report = chain.signed(at_least=4, sha256=chain.stored[3].sha256)
    assert report.findings[Flaw.UNREADABLE] == 1
    assert report.signed == 3
    assert report.found[0].startswith("record 3 is no drill evidence: ")
    # Nor does it stop the next drill.
    assert store(drill(5), chain.place, OURS.signer).number == 5


def test_a_damaged_envelope_is_said_to_be_one(chain: Chain) -> None:
    for envelope in (b"{}", b"[", b'{"payload": "\xff"}', b'"x"'):
        lines = chain.get(key_of(4)).split(b"\n")
        lines[1] = b'  "signature": ' + envelope + b","
        chain.put(key_of(4), b"\n".join(lines))
        assert "record 4: the signature does not count: " in sentences(chain.signed())


def test_a_huge_file_is_not_read(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = len(chain.get(key_of(4, "html"))) + 100
    monkeypatch.setattr("airflow_multicloud.core.drill.chain.MAX_FILE", limit)
    assert chain.signed().sound
    chain.put(key_of(4), b" " * limit + b" ")
    report = chain.signed()
    assert report.findings == {Flaw.UNREADABLE: 1}
    assert f"{key_of(4)} has more than {limit} bytes" in sentences(report)
    end = replace(chain.place, location=chain.place.location.with_key(key_of(4)))
    with pytest.raises(StorageError, match=r"is no drill evidence in JSON: .* more than"):
        read(end)
    with pytest.raises(StorageError, match="more than") as raised:
        store(drill(5), chain.place)
    assert raised.value.kind is ErrorKind.INTEGRITY
    chain.put(key_of(3, "html"), b" " * limit + b" ")
    assert "the page of record 3 can't be read" in sentences(chain.signed())


def test_a_store_that_understates_a_size_is_not_believed(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airflow_multicloud.core.drill.chain.MAX_FILE", 10)

    class Understates(object_store.Hook):
        def get_object(self, ref: ObjectRef, **options: Any) -> Any:
            return Body(super().get_object(ref, **options))

    class Body:
        def __init__(self, inner: Any) -> None:
            self.meta = replace(inner.meta, size=1)
            self.chunks = [bytes(inner.read())] * 1000

        def __iter__(self) -> Any:
            while self.chunks:
                yield self.chunks.pop()
                assert len(self.chunks) >= 999

    place = replace(chain.place, store=Understates(chain.place.location.conn_id or ""))
    assert check_chain(place).findings[Flaw.UNREADABLE] == 4


def test_a_record_too_large_for_readers_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MAX_FILE", 100)
    with pytest.raises(StorageError, match="readers take at most 100") as raised:
        Chain.of(1)
    assert raised.value.kind is ErrorKind.INVALID_ARGUMENT


def test_files_that_are_no_part_of_it_are_named(chain: Chain) -> None:
    strays = [
        "1.json",
        "00000000001.json",
        "0000000000.json",
        "drill-x.html",
        "0000000001.json.bak",
    ]
    for name in strays:
        chain.put(f"{records.EVIDENCE_PREFIX}{name}", b"x")
    report = chain.signed()
    assert report.sound
    assert {note.split(" ")[0].rpartition("/")[2] for note in report.notes} == {*strays}


def test_a_number_far_away_is_one_sentence_and_ends_no_memory(chain: Chain) -> None:
    chain.put(key_of(records.MAX_NUMBER), b"{}")
    report = chain.check()
    assert report.findings[Flaw.MISSING] == records.MAX_NUMBER - 5
    assert report.found[0] == f"records 5 to {records.MAX_NUMBER - 1} are missing"
    with pytest.raises(StorageError, match="has the last number there is") as raised:
        store(drill(5), chain.place)
    assert not raised.value.kind.retryable


def test_a_report_is_bounded() -> None:
    chain = Chain.of(0)
    for number in range(1, MAX_FOUND + 6):
        chain.put(key_of(number), b"{}")
        chain.put(f"{records.EVIDENCE_PREFIX}x{number}", b"")
    report = chain.check()
    assert report.findings == {Flaw.UNREADABLE: MAX_FOUND + 5}
    assert len(report.found) == len(report.notes) == MAX_FOUND


def test_nothing_there_is_an_error_unless_something_must_be() -> None:
    chain = Chain.of(0)
    with pytest.raises(StorageError, match="no evidence is here") as raised:
        chain.signed()
    assert raised.value.kind is ErrorKind.NOT_FOUND
    for expected in ({"at_least": 1}, {"sha256": "0" * 64}):
        report = chain.check(**expected)
        assert report.findings == {Flaw.NOT_THE_NEWEST: 1}
        assert (report.records, report.newest, report.sha256) == (0, 0, None)


def test_a_store_that_does_not_answer_is_no_finding(chain: Chain) -> None:
    class Denies(object_store.Hook):
        def get_object(self, ref: ObjectRef, **options: Any) -> Any:
            raise StorageError("denied", kind=ErrorKind.PERMISSION_DENIED)

    place = replace(chain.place, store=Denies(chain.place.location.conn_id or ""))
    with pytest.raises(StorageError, match="denied") as raised:
        check_chain(place)
    assert raised.value.kind is ErrorKind.PERMISSION_DENIED


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        ({"at_least": 0}, "at_least: 0 given"),
        ({"signed_from": -1}, "signed_from: -1 given"),
        ({"sha256": "AB" * 32}, "expected_sha256: .* lower case"),
        ({"sha256": "ab"}, "expected_sha256: 'ab' given"),
    ],
)
def test_what_can_not_be_expected_is_refused(expected: dict[str, Any], said: str) -> None:
    with pytest.raises(StorageError, match=said) as raised:
        Expected(**expected)
    assert raised.value.kind is ErrorKind.INVALID_ARGUMENT
