"""Key Vault's versions in their order, and values as the texts that a vault holds."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from azure.keyvault.secrets import SecretProperties

from airflow_multicloud.clouds.azure.secrets.fields import (
    BASE64,
    Written,
    first_of_a_second,
    newest_first,
    text_of,
    value_of,
    version_of,
)
from airflow_multicloud.errors import ErrorKind, SecretsError

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TOKEN = "7f0c6f0e-4a51-4c37-9f0f-1f2c0a3b5d6e"


def _version(number: int, after: str | None = "", *, later: int = 0) -> SecretProperties:
    """A version; of another writer when nothing is told of what it replaced."""
    tags = {} if after == "" else {"multicloud-write": Written(TOKEN, after).to_text()}
    return SecretProperties(
        vault_id=f"https://v.vault.azure.net/secrets/s/{number:032x}",
        attributes=_Attributes(NOW + timedelta(seconds=later)),
        tags=tags,
    )


class _Attributes:
    def __init__(self, created: datetime) -> None:
        self.created = created
        self.enabled = True


def _ids(versions: list[SecretProperties]) -> list[int]:
    return [int(version.version or "", 16) for version in versions]


@pytest.mark.parametrize("order", [*itertools.permutations(range(3))])
def test_by_time(order: tuple[int, ...]) -> None:
    versions = [_version(number, later=number) for number in order]
    assert _ids(newest_first(versions)) == [2, 1, 0]
    assert not first_of_a_second(newest_first(versions))


@pytest.mark.parametrize("order", [*itertools.permutations(range(3))])
def test_within_a_second_by_what_they_replaced(order: tuple[int, ...]) -> None:
    made = [_version(7, None), _version(3, f"{7:032x}"), _version(5, f"{3:032x}")]
    versions = newest_first([made[place] for place in order])
    assert _ids(versions) == [5, 3, 7]
    assert not first_of_a_second(versions)


def test_within_a_second_of_others_nothing_tells() -> None:
    assert first_of_a_second(newest_first([_version(1), _version(2)]))
    assert first_of_a_second(newest_first([_version(1), _version(2, None)]))
    assert not first_of_a_second(newest_first([_version(1)]))
    assert not first_of_a_second([])


def test_tags_that_name_each_other_end() -> None:
    versions = [_version(1, f"{2:032x}"), _version(2, f"{1:032x}"), _version(3, f"{3:032x}")]
    assert sorted(_ids(newest_first(versions))) == [1, 2, 3]


@pytest.mark.parametrize(
    "tag",
    [
        *("", "token", " after", "a b c", "token -", TOKEN, f"{TOKEN} ", f"{TOKEN} 7", "\ud800 -"),
        *(f"{TOKEN} {'7' * 32} -", f"{TOKEN}  -", f"{'-' * 99}{TOKEN} -", f"{TOKEN} {'A' * 32}"),
    ],
)
def test_what_somebody_else_wrote_into_the_tag(tag: str) -> None:
    version = SecretProperties(
        vault_id="https://v.vault.azure.net/secrets/s/1", tags={"multicloud-write": tag}
    )
    assert Written.of(version) is None


@pytest.mark.parametrize(
    ("value", "content_type"),
    [(b"text", None), ("ß".encode(), None), (b"\xff", BASE64), (b"a\0b", BASE64)],
)
def test_values_come_back(value: bytes, content_type: str | None) -> None:
    text, told = text_of("s", value)
    assert told == content_type
    version = SecretProperties(content_type=told)
    assert value_of(text, version) == value


def test_bytes_take_more_room_than_text() -> None:
    text_of("s", b"\xff" * 19_200)
    with pytest.raises(SecretsError, match="as base64, since it is not text") as caught:
        text_of("s", b"\xff" * 19_201)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    with pytest.raises(SecretsError, match="25602 bytes given, from 1 to 25600"):
        text_of("s", "ß".encode() * 12_801)


def test_a_token_that_another_has_copied_with_the_tags_is_the_oldest_ones() -> None:
    others, ours, before = (
        _version(2, None, later=2),
        _version(1, None, later=1),
        _version(0, later=0),
    )
    versions = newest_first([others, ours, before])
    tokens = [version_of(one, is_current=False, among=versions).token for one in versions]
    assert tokens == [None, TOKEN, None]
    assert version_of(ours, is_current=True).token == TOKEN
