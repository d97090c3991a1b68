"""Random sources, destinations and options: what always holds of a replication."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_multicloud.core.replication.closing import ReplicationFailedError
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.options import ObjectFilter, OnError
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.report import ReplicationReport
from airflow_multicloud.core.replication.request import Replication
from airflow_multicloud.errors import ErrorKind, StorageError

from .memory import SMALL, World, fill, ledger, tree_of, uploads, world

pytestmark = pytest.mark.usefixtures("way")

# Emoji sort after U+FFFD by code point and by UTF-8, before it by UTF-16.
_NAMES = st.text(st.sampled_from("aZ0/é~�\U0001f600 .%?#"), min_size=1, max_size=6)
_CONTENT = st.binary(max_size=100)
_TREES = st.dictionaries(_NAMES, _CONTENT, min_size=1, max_size=8)
_THERE = st.sampled_from(("absent", "equal", "other bytes", "other size"))


@st.composite
def _cases(draw: st.DrawFn) -> tuple[dict[str, bytes], list[dict[str, bytes]]]:
    """A source tree, and what two destinations hold already."""
    tree = draw(_TREES)
    held: list[dict[str, bytes]] = []
    for _ in range(2):
        there: dict[str, bytes] = draw(st.dictionaries(_NAMES, _CONTENT, max_size=2))
        for name, content in tree.items():
            there.pop(name, None)
            match draw(_THERE):
                case "equal":
                    there[name] = content
                case "other bytes":
                    there[name] = bytes(b ^ 1 for b in content)
                case "other size":
                    there[name] = content + b"+"
        held.append(there)
    return tree, held


_OPTIONS = st.builds(
    lambda **chosen: replace(SMALL, **chosen),
    immutable=st.booleans(),
    on_error=st.sampled_from(OnError),
    min_success_ratio=st.sampled_from((0.0, 0.5, 1.0)),
    delete_extraneous=st.booleans(),
    max_delete=st.sampled_from((0, 1, 100)),
    filter=st.sampled_from(
        (ObjectFilter(), ObjectFilter(include=("a*", "*é*")), ObjectFilter(exclude=("*/*",)))
    ),
)


def _made(tree: dict[str, bytes], held: list[dict[str, bytes]]) -> World:
    made = world(tree, destinations=2)
    for end, there in zip(made.destinations, held, strict=True):
        fill(end, there)
    return made


def _run(replication: Replication) -> ReplicationReport | StorageError:
    try:
        return replicate(replication)
    except ReplicationFailedError as err:
        return err.report
    except StorageError as err:
        return err


@settings(max_examples=150, deadline=None)
@given(_cases(), _OPTIONS)
def test_outcomes_add_up_and_replicas_are_whole(case, options) -> None:
    tree, held = case
    made = _made(tree, held)
    admitted = {
        name
        for name in tree
        if (not options.filter.include or any(fnmatchcase(name, g) for g in options.filter.include))
        and not any(fnmatchcase(name, g) for g in options.filter.exclude)
    }
    before = [tree_of(end) for end in made.destinations]

    report = _run(made.replication(options))

    after = [tree_of(end) for end in made.destinations]
    if isinstance(report, StorageError):
        assert after == before  # refused before anything changed
        assert report.kind in (
            ErrorKind.NOT_FOUND,
            ErrorKind.PRECONDITION_FAILED,
            ErrorKind.ALREADY_EXISTS,
        )
        assert (report.kind is ErrorKind.NOT_FOUND) == (not admitted)
        return
    assert report.objects == len(admitted)
    assert report.bytes == sum(len(tree[name]) for name in admitted)
    for end, reported, old, new in zip(
        made.destinations, report.destinations, before, after, strict=True
    ):
        assert sum(reported.outcomes.values()) == len(admitted)
        assert Outcome.UNVERIFIABLE not in reported.outcomes
        assert not uploads(end)
        assert not ledger(end).commit.open_runs
        sound = sum(new.get(name) == tree[name] for name in admitted)
        if options.on_error is OnError.CONTINUE:
            assert reported.sound == sound
        # Never a partial object: each is the source's, or what was there before.
        for name, content in new.items():
            assert content in (tree.get(name), old.get(name))
        for name in admitted:
            if options.immutable and name in old:
                assert new[name] == old[name]
        gone = {name for name in old if name not in tree and name not in new}
        assert reported.deleted == len(gone)
        assert set(old) - set(new) == gone
        if options.delete_extraneous and reported.sound == report.objects:
            # The filter's globs protect what they don't admit.
            left = {n for n in new if n not in tree}
            assert all(
                (
                    options.filter.include
                    and not any(fnmatchcase(n, g) for g in options.filter.include)
                )
                or any(fnmatchcase(n, g) for g in options.filter.exclude)
                for n in left
            )
        if not options.delete_extraneous:
            assert not gone


@settings(max_examples=50, deadline=None)
@given(_cases())
def test_a_second_run_changes_nothing(case) -> None:
    tree, held = case
    made = _made(tree, held)
    first = replicate(made.replication())
    stored = [
        {m.key: m.etag for m in end.store.list_objects("lab", end.location.key)}
        for end in made.destinations
    ]

    second = replicate(made.replication())

    for end, reported, before in zip(made.destinations, second.destinations, stored, strict=True):
        assert reported.outcomes == {Outcome.UNCHANGED: len(tree)}
        assert {m.key: m.etag for m in end.store.list_objects("lab", end.location.key)} == before
        assert tree.items() <= tree_of(end).items()
    assert second.bytes_read == 0
    assert second.root == first.root


@settings(max_examples=30, deadline=None)
@given(_TREES)
def test_equal_trees_have_equal_roots_wherever_they_lie(tree) -> None:
    assert replicate(world(tree).replication()).root == replicate(world(tree).replication()).root


@pytest.mark.parametrize("count", [0, 3])
def test_an_empty_source_deletes_nothing(count: int) -> None:
    made = world({})
    fill(made.destinations[0], {str(n): b"x" for n in range(count)})
    options = replace(SMALL, delete_extraneous=True, max_delete=100)

    with pytest.raises(StorageError) as raised:
        replicate(made.replication(options))

    assert raised.value.kind is ErrorKind.NOT_FOUND
    assert len(tree_of(made.destinations[0])) == count
