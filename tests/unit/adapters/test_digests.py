from __future__ import annotations

from dataclasses import replace

import pytest

from airflow_multicloud.adapters import digests
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import Digests

# RFC 1321, FIPS 180-4 and RFC 3720 (B.4, CRC32C) for "123456789" and "abc".
ABC = Digests(
    crc32c="364b3fb7",
    md5="900150983cd24fb0d6963f7d28e17f72",
    sha256="ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
)


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


DEF = digests.digests_of(b"def")


@pytest.mark.parametrize(
    ("names", "strongest", "identical"),
    [
        (("crc32c", "md5", "sha256"), "sha256", True),
        (("crc32c", "md5"), "md5", True),
        (("crc32c", "sha256"), "sha256", True),
        (("md5",), "md5", True),
        (("crc32c",), "crc32c", False),
    ],
)
def test_what_agrees_is_identical_but_for_a_crc32c_alone(names, strongest, identical):
    some = Digests(**{name: getattr(ABC, name) for name in names})
    for compared in (digests.compare(ABC, some), digests.compare(some, ABC)):
        assert (compared.name, compared.equal) == (strongest, True)
        assert (compared.identical, compared.decisive) == (identical, identical)
    assert digests.identifies(some) is identical


@pytest.mark.parametrize("name", ["crc32c", "md5", "sha256"])
def test_one_digest_that_differs_is_another_content(name):
    """Whatever the others say."""
    compared = digests.compare(ABC, replace(ABC, **{name: getattr(DEF, name)}))
    assert (compared.name, compared.equal) == (name, False)
    assert (compared.identical, compared.decisive) == (False, True)


def test_digests_of_different_kinds_are_not_compared():
    assert digests.compare(Digests(md5=ABC.md5), Digests(sha256=DEF.sha256)) is None
    assert digests.compare(Digests(), ABC) is None
