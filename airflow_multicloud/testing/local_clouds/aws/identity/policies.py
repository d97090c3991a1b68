"""IAM's policy evaluation, as far as its documents use what is here.

"Policy evaluation logic" and "IAM JSON policy elements" in the IAM User Guide: an explicit deny
overrides everything; else every layer (the caller's policies, its boundary, the organization's, a
session's) must allow. Of conditions the operators on strings and truth values are known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

Context = Mapping[str, str]


class Unevaluable(Exception):  # noqa: N818 - the start of an answer, no error of this program
    """A policy that can't be evaluated here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One of a policy's.

    :param policy: its policy's id.
    """

    policy: str
    denies: bool
    actions: tuple[str, ...]
    not_actions: tuple[str, ...]
    resources: tuple[str, ...]
    not_resources: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, Any]]

    @classmethod
    def read(cls, policy: str, told: Mapping[str, Any]) -> Self:
        """A statement of a document."""
        known = {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}
        if unknown := sorted(set(told) - known):
            raise Unevaluable(f"the element {unknown[0]} is not known")
        if told.get("Effect") not in ("Allow", "Deny"):
            raise Unevaluable("Effect must be Allow or Deny")
        return cls(
            policy=policy,
            denies=told["Effect"] == "Deny",
            actions=_texts(told.get("Action")),
            not_actions=_texts(told.get("NotAction")),
            resources=_texts(told.get("Resource")),
            not_resources=_texts(told.get("NotResource")),
            conditions=told.get("Condition") or {},
        )

    def concerns(self, action: str, resource: str) -> bool:
        """Whether it is about an action on a resource."""
        if self.not_actions:
            acts = not _any(self.not_actions, action, re.IGNORECASE)
        else:
            acts = _any(self.actions, action, re.IGNORECASE)
        if self.not_resources:
            return acts and not _any(self.not_resources, resource)
        return acts and _any(self.resources, resource)

    def holds(self, context: Context, missing: set[str]) -> bool:
        """Whether its conditions are fulfilled.

        :param missing: gets the keys of conditions that the context does not have.
        """
        known = {name.casefold(): value for name, value in context.items()}
        found = True
        for operator, keys in self.conditions.items():
            compare = _OPERATORS.get(operator.removesuffix("IfExists"))
            if compare is None:
                raise Unevaluable(f"the condition operator {operator} is not known")
            for key, values in keys.items():
                if (value := known.get(key.casefold())) is None:
                    missing.add(key)
                    # A negated operator holds without the key.
                    found &= operator.endswith("IfExists") or "Not" in operator
                else:
                    found &= compare(value, _texts(values))
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a layer, or all of them, say of an action.

    :param matched: the statements that decide.
    :param missing: condition keys that the context does not have.
    """

    decision: str
    matched: tuple[Statement, ...] = ()
    missing: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Layer:
    """Policies of which one must allow.

    :param statements: of all of them.
    """

    statements: tuple[Statement, ...] = field(default=())

    @classmethod
    def of(cls, documents: Iterable[tuple[str, Mapping[str, Any]]]) -> Self:
        """Policies by their ids."""
        found = []
        for name, document in documents:
            told = document["Statement"]
            every = told if isinstance(told, list) else [told]
            found += [Statement.read(name, one) for one in every]
        return cls(tuple(found))

    def evaluate(self, action: str, resource: str, context: Context) -> Outcome:
        """What these policies say."""
        missing: set[str] = set()
        concerned = [one for one in self.statements if one.concerns(action, resource)]
        holding = [one for one in concerned if one.holds(context, missing)]
        denying = tuple(one for one in holding if one.denies)
        allowing = tuple(one for one in holding if not one.denies)
        decision = "explicitDeny" if denying else "allowed" if allowing else "implicitDeny"
        matched = denying or allowing
        return Outcome(decision=decision, matched=matched, missing=frozenset(missing))


def together(outcomes: Iterable[Outcome]) -> Outcome:
    """What several layers say: a deny of any, else what none of them does not allow."""
    every = list(outcomes)
    worst = max(every, key=lambda one: _ORDER.index(one.decision))
    missing = frozenset().union(*(one.missing for one in every))
    return Outcome(decision=worst.decision, matched=worst.matched, missing=missing)


_ORDER = ("allowed", "implicitDeny", "explicitDeny")


def _texts(given: Any) -> tuple[str, ...]:
    if given is None:
        return ()
    return (str(given),) if isinstance(given, str | bool) else tuple(map(str, given))


def _any(patterns: Iterable[str], text: str, flags: int = 0) -> bool:
    return any(_like(pattern, text, flags) for pattern in patterns)


def _like(pattern: str, text: str, flags: int = 0) -> bool:
    regex = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(regex, text, flags | re.DOTALL) is not None


_OPERATORS: Mapping[str, Callable[[str, tuple[str, ...]], bool]] = {
    "StringEquals": lambda value, values: value in values,
    "StringNotEquals": lambda value, values: value not in values,
    "StringLike": lambda value, values: _any(values, value),
    "StringNotLike": lambda value, values: not _any(values, value),
    "ArnLike": lambda value, values: _any(values, value),
    "Bool": lambda value, values: value.casefold() in {one.casefold() for one in values},
}
