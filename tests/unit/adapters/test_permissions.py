"""Asking about many actions, where one that can't be judged costs itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import pytest

from airflow_multicloud.adapters.permissions import (
    MOST_HALVINGS,
    Asking,
    Question,
    checked_actions,
)
from airflow_multicloud.errors import CredentialsError, ErrorKind
from airflow_multicloud.ports.identity import Decision, PermissionCheck

QUESTION = Question(resource="bucket", asked="test")


def asking(
    fails: Callable[[Sequence[str]], ErrorKind | None], *, at_once: int = 100
) -> tuple[Asking, list[list[str]]]:
    """One that allows everything, and notes each request, unless that fails."""
    sent: list[list[str]] = []

    def ask(actions: Sequence[str]) -> Mapping[str, PermissionCheck]:
        sent.append(list(actions))
        if (kind := fails(actions)) is not None:
            raise CredentialsError(f"refused: {kind}", kind=kind)
        return {one: QUESTION.answer(one, Decision.ALLOW, "so it is") for one in actions}

    return Asking(QUESTION, ask, at_once), sent


def test_each_is_asked_once_and_answered_wherever_it_stands() -> None:
    found, sent = asking(lambda _: None, at_once=2)
    assert [one.action for one in found.about(list("abcab"))] == list("abcab")
    assert sent == [["a", "b"], ["c"]]


def test_what_the_answer_leaves_out_is_unknown() -> None:
    found = Asking(QUESTION, lambda _: {}, 100).about(["a"])
    assert [one.decision for one in found] == [Decision.UNKNOWN]
    assert "does not mention" in found[0].reason


@pytest.mark.parametrize("bad", range(9))
def test_one_that_is_refused_costs_itself(bad: int) -> None:
    actions = [str(number) for number in range(9)]
    found, sent = asking(lambda some: ErrorKind.INVALID_ARGUMENT if str(bad) in some else None)
    decisions = [one.decision for one in found.about(actions)]
    assert decisions.pop(bad) is Decision.UNKNOWN
    assert set(decisions) == {Decision.ALLOW}
    assert len(sent) <= 9


def test_halving_ends() -> None:
    found, sent = asking(lambda _: ErrorKind.INVALID_ARGUMENT)
    answers = found.about([str(number) for number in range(1000)])
    assert {one.decision for one in answers} == {Decision.UNKNOWN}
    assert len(sent) <= 2 * MOST_HALVINGS + 10


@pytest.mark.parametrize(
    "kind", [ErrorKind.UNAVAILABLE, ErrorKind.THROTTLED, ErrorKind.PERMISSION_DENIED]
)
def test_what_concerns_all_is_met_once(kind: ErrorKind) -> None:
    found, sent = asking(lambda _: kind, at_once=2)
    answers = found.about(list("abcdef"))
    assert {one.decision for one in answers} == {Decision.UNKNOWN}
    assert {one.reason for one in answers} == {f"refused: {kind}"}
    assert sent == [["a", "b"]]


def test_refused_credentials_are_no_answer() -> None:
    found, _ = asking(lambda _: ErrorKind.UNAUTHENTICATED)
    with pytest.raises(CredentialsError):
        found.about(["a"])


@pytest.mark.parametrize("given", [(), "s3:Get", ("A",), ("",), (1,)])
def test_what_is_no_action_is_refused(given: Sequence[str]) -> None:
    with pytest.raises(CredentialsError, match="actions: ") as caught:
        checked_actions(given, re.compile("[a-z:0-9]+"), expected="letters", cloud="test")
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


def test_a_long_one_is_not_shown_whole() -> None:
    with pytest.raises(CredentialsError) as caught:
        checked_actions(["A" * 10_000], re.compile("a"), expected="an a", cloud="test")
    assert len(str(caught.value)) < 300
