from __future__ import annotations

from dataclasses import replace

import pytest

from airflow_multicloud import extras
from airflow_multicloud.adapters import digests
from airflow_multicloud.errors import ErrorKind, ProviderNotAvailableError, StorageError
from airflow_multicloud.ports.object_store import Digests

# RFC 1321, FIPS 180-4 and RFC 3720 (B.4, CRC32C) for "123456789" and "abc".
ABC = Digests(
    crc32c="364b3fb7",
    md5="900150983cd24fb0d6963f7d28e17f72",
    sha256="ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
)
# BLAKE3's own test vectors (test_vectors.json): of one chunk, and of more than one.
BLAKE3 = {
    3: "e1be4d7a8ab5560aa4199eea339849ba8e293d55ca0a81006726d184519e647f",
    1025: "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444",
}


def test_published_values():
    assert digests.digests_of(b"abc") == ABC
    assert digests.crc32c_of(b"123456789") == "e3069283"


def test_the_crc32c_of_a_stream_is_combined_from_those_that_are_known():
    whole = digests.StreamDigest()
    for chunk in (b"", b"a", memoryview(bytearray(b"bc"))):
        whole.update(chunk, known=digests.crc32c_of(chunk))
    whole.update(b"def")
    assert whole.digests() == replace(digests.digests_of(b"abcdef"), md5=None)
    wrong = digests.StreamDigest()
    wrong.update(b"abc", known=digests.crc32c_of(b"abd"))
    assert wrong.digests().crc32c == digests.crc32c_of(b"abd")


@pytest.mark.parametrize("name", ["crc32c", "md5", "sha256"])
def test_a_body_is_compared_with_each_digest_that_was_given(name):
    digests.check_digests(b"abc", Digests(**{name: getattr(ABC, name)}), "writing k", cloud="x")
    with pytest.raises(StorageError, match=f"writing k: the body's {name} is") as caught:
        digests.check_digests(b"abd", Digests(**{name: getattr(ABC, name)}), "writing k", cloud="x")
    assert (caught.value.kind, caught.value.cloud) == (ErrorKind.INTEGRITY, "x")


def test_base64_and_back():
    assert digests.to_base64("364b3fb7") == "Nks/tw=="
    assert digests.from_base64("Nks/tw==") == "364b3fb7"
    assert [digests.from_base64(odd) for odd in (None, "", "no base64!", "Nks/t")] == [None] * 4


@pytest.mark.parametrize("size", BLAKE3)
def test_a_stream_is_hashed_by_what_was_asked_for(size: int) -> None:
    body = bytes(n % 251 for n in range(size))
    stream = digests.StreamDigest(sha256=False, blake3=True)
    for start in range(0, size, 100):
        stream.update(memoryview(bytearray(body))[start : start + 100])
    crc32c = digests.crc32c_of(body)
    assert (stream.size, stream.digests()) == (size, Digests(crc32c=crc32c, blake3=BLAKE3[size]))


EVERY = replace(ABC, blake3="6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85")


@pytest.mark.parametrize(
    ("known", "computed"),
    [
        ([EVERY], {"sha256"}),
        ([replace(EVERY, sha256=None)], {"blake3"}),
        ([Digests(md5=ABC.md5)], {"md5"}),
        ([Digests(crc32c=ABC.crc32c)], set()),
        ([Digests()], set()),
        ([Digests(blake3=EVERY.blake3), ABC, Digests(md5=ABC.md5)], {"sha256", "blake3", "md5"}),
    ],
)
def test_what_is_compared_is_hashed_by_the_strongest_digest_that_is_known(known, computed):
    stream = digests.StreamDigest.like(*known)
    stream.update(b"abc")
    found = stream.digests()
    assert {name for name in ("sha256", "blake3", "md5") if getattr(found, name)} == computed
    assert all(digests.compare(found, one).equal for one in known if one != Digests())
    assert digests.StreamDigest.like(*known, sha256=True).digests().sha256 is not None


def test_a_digest_that_nothing_here_can_compute_is_refused(monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    known = Digests(blake3=EVERY.blake3)
    with pytest.raises(ProviderNotAvailableError, match="blake3 is not installed: pip") as caught:
        digests.StreamDigest.like(known)
    assert caught.value.kind is ErrorKind.UNSUPPORTED
    digests.StreamDigest.like(replace(known, sha256=ABC.sha256))  # It is not needed.


DEF = replace(digests.digests_of(b"def"), blake3="0" * 64)


@pytest.mark.parametrize(
    ("names", "strongest", "identical"),
    [
        (("crc32c", "md5", "sha256", "blake3"), "sha256", True),
        (("crc32c", "md5", "blake3"), "blake3", True),
        (("blake3",), "blake3", True),
        (("crc32c", "md5"), "md5", True),
        (("crc32c", "sha256"), "sha256", True),
        (("md5",), "md5", True),
        (("crc32c",), "crc32c", False),
    ],
)
def test_what_agrees_is_identical_but_for_a_crc32c_alone(names, strongest, identical):
    some = Digests(**{name: getattr(EVERY, name) for name in names})
    for compared in (digests.compare(EVERY, some), digests.compare(some, EVERY)):
        assert (compared.name, compared.equal) == (strongest, True)
        assert (compared.identical, compared.decisive) == (identical, identical)
    assert digests.identifies(some) is identical


@pytest.mark.parametrize("name", ["crc32c", "md5", "sha256", "blake3"])
def test_one_digest_that_differs_is_another_content(name):
    """Whatever the others say."""
    compared = digests.compare(EVERY, replace(EVERY, **{name: getattr(DEF, name)}))
    assert (compared.name, compared.equal) == (name, False)
    assert (compared.identical, compared.decisive) == (False, True)


def test_digests_of_different_kinds_are_not_compared():
    assert digests.compare(Digests(md5=ABC.md5), Digests(sha256=DEF.sha256)) is None
    assert digests.compare(Digests(), ABC) is None
