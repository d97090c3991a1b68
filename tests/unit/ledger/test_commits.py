"""What a commit may say, and what its parts mean."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import asdict, replace

from airflow_multicloud.core.ledger import commits
from airflow_multicloud.core.ledger.commits import Identity, Selection

from .made import at, look

if TYPE_CHECKING:
    from datetime import datetime

TIME = "2026-01-01T00:00:00Z"
#: What is no time in UTC, in which all are compared.
NO_TIME = "0001-01-01T00:00:00+23:59"
ROOT = "0" * 64
IDENTITY = {"run_id": "r", "token": "t"}
LEAST = {
    "format": "airflow-multicloud ledger",
    "version": 1,
    "number": 9,
    "place": "mem://lab/",
    "made_at": TIME,
    "identity": IDENTITY,
    "step": "end",
}
LOOK = {
    "prefix": "",
    "source": "s",
    "selection": {},
    "as_of": TIME,
    "run_id": "r",
    "started": TIME,
    "finished": TIME,
    "objects": 1,
    "proven": 1,
}
ONE_GLOB = LOOK | {"selection": {"exclude": ["*"]}}
OPEN = {"identity": IDENTITY, "prefix": "", "started": TIME, "seen": TIME}
SIBLING = {"place": "p", "number": 1, "root": ROOT, "seen": TIME}
LOSS = {"prefix": "", "source": None, "number": 9}
REF = {"sha256": ROOT, "size": 1, "count": 1, "first": "b", "last": "b"}


def read(**fields: Any) -> commits.Commit:
    return commits.read(json.dumps(LEAST | fields).encode())


def test_what_is_absent_has_its_default() -> None:
    """Nothing, zero, false or empty: so says the format, and so others write it."""
    least = read(looks=[LOOK], open_runs=[OPEN])
    assert {k: v for k, v in asdict(least).items() if k not in {*LEAST, "looks", "open_runs"}} == {
        "previous": None,
        "losses": (),
        "mended": 0,
        "prefix": "",
        "source": None,
        "started": None,
        "changed": 0,
        "deleted": 0,
        "why": None,
        "restarted": None,
        "siblings": (),
        "segments": (),
        "recent": (),
    }
    assert {k: v for k, v in asdict(least.looks[0]).items() if k not in LOOK} == {
        "behind": 0,
        "displaced": 0,
        "left_out": 0,
        "strangers": 0,
        "bytes": 0,
        "since": None,
        "newest": None,
    }
    assert asdict(least.identity) == IDENTITY | {
        "dag_id": "",
        "task_id": "",
        "airflow_run_id": "",
        "map_index": None,
        "try_number": None,
    }
    assert asdict(least.looks[0].selection) == {
        "include": (),
        "exclude": (),
        "min_size": None,
        "max_size": None,
        "max_age": None,
    }
    assert commits.read(commits.write(least)) == least
    assert json.loads(commits.write(least)) == LEAST | {"looks": [LOOK], "open_runs": [OPEN]}


TEXT = "k" * 8192
LARGEST = (1 << 53) - 1


@pytest.mark.parametrize(
    ("allowed", "refused"),
    [
        ({"number": 1}, {"number": 0}),
        ({"number": 10**12 - 2}, {"number": 10**12 - 1}),
        ({"place": TEXT}, {"place": TEXT + "k"}),
        ({"why": TEXT}, {"why": TEXT + "k"}),
        ({"changed": 0}, {"changed": -1}),
        ({"changed": LARGEST}, {"changed": LARGEST + 1}),
        ({"previous": {"number": 8, "root": ROOT}}, {"previous": {"number": 9, "root": ROOT}}),
        (
            {"previous": {"number": 1, "root": "f" * 64}},
            {"previous": {"number": 1, "root": "F" * 64}},
        ),
        ({"siblings": [SIBLING]}, {"siblings": [SIBLING | {"root": ROOT + "0"}]}),
        ({"siblings": [SIBLING] * 1000}, {"siblings": [SIBLING] * 1001}),
        ({"looks": [LOOK] * 10_000}, {"looks": [LOOK] * 10_001}),
        ({"open_runs": [OPEN] * 10_000}, {"open_runs": [OPEN] * 10_001}),
        # Nothing is by a commit that is still to come.
        ({"losses": [LOSS]}, {"losses": [LOSS | {"number": 10}]}),
        ({"mended": 9}, {"mended": 10}),
        ({"segments": [[REF]]}, {"segments": [[REF | {"size": -1}]]}),
        ({"segments": [[REF]] * 64}, {"segments": [[REF]] * 65}),
        (
            {"recent": [{"key": f"{n:04}"} for n in range(4096)]},
            {"recent": [{"key": f"{n:04}"} for n in range(4097)]},
        ),
        (
            {"looks": [LOOK | {"selection": {"include": ["*"] * 1000}}]},
            {"looks": [LOOK | {"selection": {"include": ["*"] * 1001}}]},
        ),
        # All looks together have only so many globs, and so much text in them.
        (
            {
                "looks": [LOOK | {"selection": {k: ["*"] * 1000 for k in ("include", "exclude")}}]
                * 5
            },
            {"looks": [LOOK | {"selection": {"exclude": ["*"] * 1000}}] * 10 + [ONE_GLOB]},
        ),
        (
            {"looks": [LOOK | {"selection": {"include": ["*" * 8192] * 128}}]},
            {"looks": [LOOK | {"selection": {"include": ["*" * 8192] * 128}}, ONE_GLOB]},
        ),
        (
            {"looks": [LOOK | {"selection": {"exclude": [TEXT]}}]},
            {"looks": [LOOK | {"selection": {"exclude": [TEXT + "k"]}}]},
        ),
        # Keys follow each other, and a segment may have one entry.
        ({"recent": [{"key": "a"}, {"key": "b"}]}, {"recent": [{"key": "b"}, {"key": "a"}]}),
        ({"recent": [{"key": "a"}]}, {"recent": [{"key": "a"}, {"key": "a"}]}),
        (
            {"segments": [[REF, REF | {"first": "c", "last": "d"}]]},
            {"segments": [[REF, REF | {"first": "a", "last": "d"}]]},
        ),
        (
            {"segments": [[REF, REF | {"first": "b0", "last": "d"}]]},
            {"segments": [[REF, REF | {"first": "b", "last": "d"}]]},
        ),
        ({"segments": [[REF], [REF | {"first": "a"}]]}, {"segments": [[REF | {"first": "c"}]]}),
    ],
)
def test_what_a_commit_may_say(allowed: dict[str, Any], refused: dict[str, Any]) -> None:
    read(**allowed)
    with pytest.raises(ValueError):  # noqa: PT011 - msgspec's say it in their own words
        read(**refused)


@pytest.mark.parametrize(
    "fields",
    [
        {"made_at": NO_TIME},
        {"started": NO_TIME},
        *(
            {"looks": [LOOK | {name: NO_TIME}]}
            for name in ("as_of", "started", "finished", "since", "newest")
        ),
        *({"open_runs": [OPEN | {name: NO_TIME}]} for name in ("started", "seen")),
        {"siblings": [SIBLING | {"seen": NO_TIME}]},
        {"recent": [{"key": "k", "gone": NO_TIME}]},
    ],
)
def test_times_that_are_none_in_utc(fields: dict[str, Any]) -> None:
    """They can be compared with no other."""
    with pytest.raises(OverflowError):
        read(**fields)


def test_the_version_is_looked_at_before_anything_else() -> None:
    assert commits.version_of(b'{"format":"airflow-multicloud ledger","version":7,"step":1}') == 7
    for line, why in (
        (b'{"format":"airflow-multicloud ledger"}', "it has no 'version'"),
        (b'{"version":1}', "it is no airflow-multicloud ledger"),
        (b'{"format":"other","version":1}', "it is no airflow-multicloud ledger"),
    ):
        with pytest.raises(ValueError, match=why):
            commits.version_of(line)


def test_the_largest_commit_is_of_16_mib() -> None:
    assert commits.LARGEST_COMMIT == 16 * 1024 * 1024


def test_a_root_is_the_sha256_of_the_line() -> None:
    assert commits.root_of(b"abc") == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


ONE = Identity("r", "t", "dag", "task", "run", map_index=0, try_number=2)


@pytest.mark.parametrize(
    ("other", "later"),
    [
        (replace(ONE, try_number=1, run_id="x", token="x"), True),
        (replace(ONE, try_number=0), True),
        (replace(ONE, try_number=2), False),
        (replace(ONE, try_number=3), False),
        (replace(ONE, try_number=1, dag_id="x"), False),
        (replace(ONE, try_number=1, task_id="x"), False),
        (replace(ONE, try_number=1, airflow_run_id="x"), False),
        (replace(ONE, try_number=1, map_index=1), False),
        (replace(ONE, try_number=1, map_index=None), False),
        (replace(ONE, try_number=None), False),
    ],
)
def test_which_try_is_later(other: Identity, later: bool) -> None:
    assert ONE.is_later_try_of(other) is later
    assert other.is_later_try_of(ONE) is (other.try_number == 3)


@pytest.mark.parametrize("unknown", [{"task_id": ""}, {"map_index": None}, {"try_number": None}])
def test_of_what_is_not_known_no_try_is_later(unknown: dict[str, Any]) -> None:
    before = replace(ONE, try_number=1)
    assert not replace(ONE, **unknown).is_later_try_of(replace(before, **unknown))
    assert not replace(ONE, **unknown).is_later_try_of(before)


@pytest.mark.parametrize(
    ("selection", "text"),
    [
        (Selection(), "all objects"),
        (Selection(include=("a", "b"), exclude=("c",)), "include=a, b; exclude=c"),
        (Selection(min_size=0, max_size=5, max_age=1.5), "min_size=0; max_size=5; max_age=1.5"),
    ],
)
def test_a_selection_for_readers(selection: Selection, text: str) -> None:
    assert str(selection) == text


@pytest.mark.parametrize(
    ("behind", "since", "holds"),
    [
        (0, None, at(5)),
        (0, at(2), at(5)),
        (1, at(2), at(2)),
        (1, at(9), at(5)),
        (1, None, None),
    ],
)
def test_what_a_look_holds(behind: int, since: datetime | None, holds: datetime | None) -> None:
    assert look("", 5, behind=behind, since=since).holds == holds


def test_what_was_left_out_is_not_owed() -> None:
    assert replace(look("", objects=9), left_out=2).owed == 7
