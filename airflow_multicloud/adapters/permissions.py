"""Asking a cloud about many actions, of which one that it can't judge must not fail the others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from airflow_multicloud.errors import CloudError, CredentialsError, ErrorKind
from airflow_multicloud.ports.identity import Decision, PermissionCheck
from airflow_multicloud.text import shortened

_LONGEST_SHOWN = 200
#: How often a refused request is halved in one check; each of many bad names would cost several.
MOST_HALVINGS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of one resource.

    :param resource: as the cloud writes it.
    :param asked: the call that tells, as it stands in each answer.
    """

    resource: str
    asked: str

    def answer(self, action: str, decision: Decision, reason: str) -> PermissionCheck:
        """What the call told of an action."""
        return PermissionCheck(
            action=action,
            resource=self.resource,
            decision=decision,
            reason=reason,
            asked=self.asked,
        )

    def unknown(self, action: str, reason: object) -> PermissionCheck:
        """The answer when the call says nothing, with the reason.

        :param reason: a text, or the error that was the answer.
        """
        return replace(self.answer(action, Decision.UNKNOWN, str(reason)), kind=_kind_of(reason))


def unasked(actions: Iterable[str], resource: str, reason: object) -> tuple[PermissionCheck, ...]:
    """An action that no call of the cloud can judge.

    :param reason: why not: a text, or an error.
    """
    return tuple(
        PermissionCheck(
            action=action,
            resource=resource,
            decision=Decision.UNKNOWN,
            reason=str(reason),
            kind=_kind_of(reason),
        )
        for action in actions
    )


def _kind_of(reason: object) -> ErrorKind | None:
    """That of an error, unless it is of an argument: this call may not judge all actions."""
    if not isinstance(reason, CloudError) or reason.kind is ErrorKind.INVALID_ARGUMENT:
        return None
    return reason.kind


def checked_actions(
    actions: Sequence[str], pattern: re.Pattern[str], *, expected: str, cloud: str
) -> tuple[str, ...]:
    """The actions, each of which can be one of this cloud.

    :param pattern: that each must match.
    :param expected: the same in words.
    :raises CredentialsError: kind ``invalid_argument``, naming the first that is none.
    """
    if isinstance(actions, str) or not actions:
        given = repr(actions) if isinstance(actions, str) else "none"
        raise refused(
            "actions", f"{given} given; expected a list of at least one, each {expected}", cloud
        )
    for action in actions:
        if not isinstance(action, str) or pattern.fullmatch(action) is None:
            raise refused("actions", f"{shown(action)} given; expected {expected}", cloud)
    return tuple(actions)


def refused(parameter: str, why: str, cloud: str) -> CredentialsError:
    """The error for an argument that is none of this cloud's."""
    return CredentialsError(f"{parameter}: {why}", kind=ErrorKind.INVALID_ARGUMENT, cloud=cloud)


def shown(value: object) -> str:
    """A value that was given, as an error shows it."""
    return shortened(repr(value), _LONGEST_SHOWN)


#: Asks about some actions at once: action → what the cloud said.
Ask = Callable[[Sequence[str]], Mapping[str, PermissionCheck]]


@dataclass(slots=True)
class Asking:
    """Asks about actions, some at once, until each has an answer.

    :param ask: one request; raises :class:`~airflow_multicloud.errors.CloudError`.
    :param at_once: the most that one request may be about.
    """

    question: Question
    ask: Ask
    at_once: int
    _found: dict[str, PermissionCheck] = field(default_factory=dict)
    _halvings: int = 0
    _final: CloudError | None = None

    def about(self, actions: Sequence[str]) -> tuple[PermissionCheck, ...]:
        """One answer for each action, in their order.

        :raises CredentialsError: when the cloud refuses the credentials.
        """
        every = list(dict.fromkeys(actions))
        for start in range(0, len(every), self.at_once):
            self._ask(every[start : start + self.at_once])
        return tuple(self._found[action] for action in actions)

    def _ask(self, actions: list[str]) -> None:
        if self._final is not None:
            self._unknown(actions, self._final)
            return
        try:
            told = self.ask(actions)
        except CloudError as err:
            if err.kind is ErrorKind.UNAUTHENTICATED:
                raise
            self._refused(actions, err)
            return
        for action in actions:
            self._found[action] = told.get(action) or self.question.unknown(
                action, "the answer does not mention it"
            )

    def _refused(self, actions: list[str], err: CloudError) -> None:
        """A request was refused; one action may be the cause, so the others are asked again."""
        if err.kind is not ErrorKind.INVALID_ARGUMENT:
            self._final = err
        if self._final or len(actions) == 1 or self._halvings >= MOST_HALVINGS:
            self._unknown(actions, err)
            return
        self._halvings += 1
        half = len(actions) // 2
        self._ask(actions[:half])
        self._ask(actions[half:])

    def _unknown(self, actions: Iterable[str], err: CloudError) -> None:
        for action in actions:
            self._found[action] = self.question.unknown(action, err)
