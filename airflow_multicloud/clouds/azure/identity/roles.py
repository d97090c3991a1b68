"""What roles grant, and deny assignments deny: patterns of operations.

"Understand Azure role definitions" (https://learn.microsoft.com/azure/role-based-access-control/role-definitions):
a role grants its actions without its notActions, and another role may grant what those leave out;
the same of dataActions. ``*`` stands for any characters, case does not matter. What is asked may be
such a pattern itself, ``…/query/*/read``: then all that it stands for is meant.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

from airflow_multicloud.adapters.globs import meet


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationSet:
    """A ``Permission`` of a role, or of a deny assignment."""

    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Self:
        """One of Azure's answers.

        :raises TypeError: (or another of :data:`~airflow_multicloud.adapters.answers.MALFORMED`)
            when it is none.
        """
        return cls(
            actions=_texts(told.get("actions")),
            not_actions=_texts(told.get("notActions")),
            data_actions=_texts(told.get("dataActions")),
            not_data_actions=_texts(told.get("notDataActions")),
        )

    @classmethod
    def of(cls, permission: Any) -> Self:
        """One of the SDK's models."""
        return cls(
            actions=_texts(permission.actions),
            not_actions=_texts(permission.not_actions),
            data_actions=_texts(permission.data_actions),
            not_data_actions=_texts(permission.not_data_actions),
        )

    def has_action(self, operation: str) -> bool:
        """Whether an operation of the control plane, or all of a pattern's, is in it."""
        return _any(self.actions, operation) and not _meets(self.not_actions, operation)

    def has_data_action(self, operation: str) -> bool:
        """Whether an operation on data, or all of a pattern's, is in it."""
        return _any(self.data_actions, operation) and not _meets(self.not_data_actions, operation)

    def has(self, operation: str, *, is_data: bool) -> bool:
        """Whether an operation of this kind, or all of a pattern's, is in it."""
        return self.has_data_action(operation) if is_data else self.has_action(operation)

    def has_some(self, operation: str, *, is_data: bool) -> bool:
        """Whether some operation of this kind that a pattern stands for may be in it.

        Never true of a single operation: that is either in it or not.
        """
        is_pattern = "*" in operation
        return is_pattern and _meets(self.data_actions if is_data else self.actions, operation)


def _texts(given: Iterable[object] | None) -> tuple[str, ...]:
    if isinstance(given, str):
        raise TypeError("a text, and no list")
    return tuple(map(str, given or ()))


def matches(pattern: str, operation: str) -> bool:
    """Whether a pattern stands for an operation, or for all that another pattern stands for.

    Only ``*`` takes the place of a ``*``, so what matches one as a text contains what it means.
    """
    return _matcher(pattern)(operation) is not None


def _any(patterns: Iterable[str], operation: str) -> bool:
    return any(_matcher(pattern)(operation) for pattern in patterns)


@lru_cache(maxsize=4096)
def _matcher(pattern: str) -> Callable[[str], object]:
    text = ".*".join(map(re.escape, pattern.split("*")))
    return re.compile(text, re.IGNORECASE).fullmatch


def _meets(patterns: Iterable[str], operation: str) -> bool:
    return any(meet(pattern.casefold(), operation.casefold()) for pattern in patterns)
