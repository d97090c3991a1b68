"""What this package notes in the annotations of Google's secrets, and reads of its answers."""

from __future__ import annotations

import random

import pytest
from google.cloud.secretmanager_v1.types import resources

from airflow_multicloud.adapters.answers import UNKNOWN_TIME
from airflow_multicloud.clouds.gcp.secrets.annotations import (
    REMOVED,
    WRITE,
    Begun,
    Removal,
    put_note,
    put_tags,
    tags_in,
)
from airflow_multicloud.clouds.gcp.secrets.fields import number_of, version_of
from airflow_multicloud.errors import ErrorKind, SecretsError

TOKEN, BEFORE = "7f0c6f0e-4a51-4c37-9f0f-1f2c0a3b5d6e", "0b5d6e7f-4a51-4c37-9f0f-1f2c0a3b5d6e"
ATTEMPT = f"{'0123456789abcdef' * 2}.1"

#: As JSON has them.
NO_NUMBERS = (
    *("1e999", "Infinity", "-Infinity", "NaN", "-1", "7.0", "true", "null", '"7"', "[7]"),
    *("9223372036854775808", "9" * 4_300, "9" * 4_301),
)
NO_TOKENS = ("", "x", "\\ud800", "\uff11" * 32, "-" * 15_000 + TOKEN, f" {TOKEN}")


def _noting(key: str, text: str) -> resources.Secret:
    return resources.Secret(name="projects/1/secrets/s", annotations={key: text})


@pytest.mark.parametrize("seed", range(20))
def test_a_removal_is_read_as_it_was_noted(seed: int) -> None:
    rng = random.Random(seed)
    numbers = tuple(sorted(rng.sample(range(1, 200), rng.randrange(0, 150))))
    removal = Removal(newest=200, enabled=numbers, done='"etag"' if seed % 2 else None)
    assert Removal.noted_in(_noting(REMOVED, removal.to_text())) == removal


def test_a_removal_of_many_versions_is_short() -> None:
    removal = Removal(newest=90_000, enabled=tuple(range(1, 90_001)), done='"etag"')
    assert len(removal.to_text()) < 80
    assert Removal.noted_in(_noting(REMOVED, removal.to_text())) == removal


def test_a_write_tells_of_the_one_before() -> None:
    for begun in (Begun(TOKEN, 7, ATTEMPT, BEFORE), Begun(TOKEN, 0, ATTEMPT), Begun(TOKEN, 3)):
        assert Begun.noted_in(_noting(WRITE, begun.to_text())) == begun
    assert [Begun(TOKEN, 7, ATTEMPT, BEFORE).token_of(number) for number in (6, 7, 8, 9)] == [
        *(None, BEFORE, TOKEN, None)
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "7",
        '{"newest": 1}',
        '{"newest": "x", "enabled": "1", "done": null}',
        '{"newest": 1, "enabled": "a-b", "done": null}',
        '{"newest": 1, "enabled": "1-999999999999", "done": null}',
        '{"newest": 1, "enabled": "1-90000,1-90000", "done": null}',
        "[" * 100_000,
        *(f'{{"newest": {one}, "enabled": "1", "done": null}}' for one in NO_NUMBERS),
        '{"newest": 1, "enabled": 1, "done": null}',
        '{"newest": 1, "enabled": "1", "done": true}',
        '{"newest": 1, "enabled": "1"}',
    ],
)
def test_what_somebody_else_wrote_there_is_no_note(text: str) -> None:
    assert Removal.noted_in(_noting(REMOVED, text)) is None
    assert Begun.noted_in(_noting(WRITE, text)) is None


@pytest.mark.parametrize(
    "odd",
    [
        *({"after": one} for one in NO_NUMBERS),
        *({"token": f'"{one}"'} for one in NO_TOKENS),
        *({"before": f'"{one}"'} for one in NO_TOKENS),
        {"token": "7"},
        {"before": "7"},
        *({"attempt": one} for one in ("7", "null", '"c.1"', f'"{ATTEMPT}\\n"', '"\\ud800"')),
    ],
)
def test_what_this_package_can_not_have_noted_is_no_write(odd: dict[str, str]) -> None:
    fits = {"token": f'"{TOKEN}"', "after": "7", "attempt": f'"{ATTEMPT}"', "before": f'"{BEFORE}"'}

    def noted(fields: dict[str, str]) -> Begun | None:
        text = ", ".join(f'"{key}": {value}' for key, value in fields.items())
        return Begun.noted_in(_noting(WRITE, f"{{{text}}}"))

    assert noted(fits) == Begun(TOKEN, 7, ATTEMPT, BEFORE)
    assert noted(fits | odd) is None


def test_there_may_be_no_room_for_a_note() -> None:
    """What other tools have written is theirs."""
    secret = _noting("theirs", "x" * 16_300)
    with pytest.raises(SecretsError, match=r"projects/1/secrets/s.*largest is 'theirs'") as caught:
        put_note(WRITE, "y" * 100, secret)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


def test_tags_leave_room_for_notes() -> None:
    secret = resources.Secret(name="projects/1/secrets/s")
    put_tags({f"Tag{number}": "X" * 200 for number in range(64)}, secret)
    put_note(WRITE, "y" * 100, secret)
    put_note(REMOVED, "z" * 1_000, secret)
    assert len(tags_in(secret)) == 64


def test_a_label_comes_before_an_annotation_of_its_name() -> None:
    secret = resources.Secret(labels={"team": "a"}, annotations={"team": "b", "Other": "c"})
    assert tags_in(secret) == {"team": "a", "Other": "c"}


@pytest.mark.parametrize("name", ["", "projects/1/secrets/s/versions/latest", "versions/-1"])
def test_a_version_without_a_number_is_no_answer(name: str) -> None:
    with pytest.raises(SecretsError) as caught:
        number_of(resources.SecretVersion(name=name))
    assert caught.value.kind is ErrorKind.INTEGRITY


def test_a_version_in_a_state_that_is_not_known_can_not_be_read() -> None:
    version = resources.SecretVersion(name="projects/1/secrets/s/versions/1", state=0)
    told = version_of(resources.Secret(), version, is_current=False)
    assert (told.state, told.created_at) == ("disabled", UNKNOWN_TIME)
