"""Policy documents: only as much of them as the simulator does not see.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html. Nothing
here grants anything: a statement either may concern the question, or does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from airflow_multicloud.adapters.globs import meet

# A policy's variable stands for a text that only a request has.
_VARIABLE = re.compile(r"\$\{[^}]*\}")
_ACCOUNT = re.compile(r"(?<!\d)\d{12}(?!\d)")
#: "Bool": what every request over TLS is spared by; the usual statement of buckets' policies.
_PLAIN_HTTP_ONLY = ("bool", "aws:securetransport", ("false",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One of a document's.

    :param name: of the policy, for reasons.
    :param principals: whom a resource's policy means; ``*`` for everybody, or who can't be told.
    :param conditions: operator, key and values, in small letters.
    """

    name: str
    denies: bool
    actions: tuple[str, ...]
    not_actions: tuple[str, ...]
    resources: tuple[str, ...]
    not_resources: tuple[str, ...]
    principals: tuple[str, ...]
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...]

    @classmethod
    def read(cls, name: str, told: Mapping[str, Any]) -> Self:
        """A statement of a document.

        :raises LookupError: (or another of :data:`~airflow_multicloud.adapters.answers.MALFORMED`)
            when it is none.
        """
        return cls(
            name=name,
            denies={"Deny": True, "Allow": False}[told["Effect"]],
            actions=_texts(told.get("Action")),
            not_actions=_texts(told.get("NotAction")),
            resources=_texts(told.get("Resource")),
            not_resources=_texts(told.get("NotResource")),
            principals=_principals(told),
            conditions=tuple(
                (operator.casefold(), key.casefold(), tuple(map(str.casefold, _texts(values))))
                for operator, keys in dict(told.get("Condition") or {}).items()
                for key, values in dict(keys).items()
            ),
        )

    def may_concern(self, action: str, resource: str) -> bool:
        """Whether it may be about an action on some of what a resource stands for."""
        return self._acts(action) and (
            not _contain(self.not_resources, resource)
            if self.not_resources
            else any(meet(_widened(pattern), resource) for pattern in self.resources)
        )

    def limits_below(self, action: str, resource: str) -> bool:
        """Whether it denies some of what a pattern stands for, but not all.

        What the simulator is asked of is the pattern as a text: it sees what contains all.
        """
        if not self._acts(action):
            return False
        # What a statement allows may be what is not one of some resources.
        inside = self.resources if self.denies else self.not_resources
        return any(meet(_widened(p), resource) for p in inside) and not _contain(inside, resource)

    def may_turn(self, action: str, resource: str, keys: frozenset[str]) -> bool:
        """Whether it may take away what is allowed without these keys, once they have a value.

        :param keys: of conditions, in small letters.
        """
        if not self.may_concern(action, resource):
            return False
        texts = (
            *self.resources,
            *self.not_resources,
            *(v for *_, vs in self.conditions for v in vs),
        )
        if any(map(_VARIABLE.search, texts)):
            return True  # The variable may be one of them.
        return any(
            key in keys and (self.denies or _holds_without_key(operator))
            for operator, key, _ in self.conditions
        )

    def is_certain(self, resource: str) -> bool:
        """Whether it holds for everybody, always and for all that a resource stands for."""
        everybody = self.principals == ("*",) and not self.conditions
        return everybody and _contain(self.resources, resource)

    def may_mean(self, account: str) -> bool:
        """Whether a resource's policy may mean a caller of an account."""
        return any(account in named or not _ACCOUNT.search(named) for named in self.principals)

    @property
    def spares_tls(self) -> bool:
        """Whether it is about requests over plain http only."""
        return self.conditions == (_PLAIN_HTTP_ONLY,)

    def _acts(self, action: str) -> bool:
        name = action.casefold()
        if self.not_actions:
            return not _contain(map(str.casefold, self.not_actions), name)
        return any(meet(pattern.casefold(), name) for pattern in self.actions)


def statements_of(name: str, document: Mapping[str, Any]) -> tuple[Statement, ...]:
    """A document's.

    :raises LookupError: (or another) as :meth:`Statement.read`.
    """
    told = document["Statement"]
    return tuple(Statement.read(name, one) for one in (told if isinstance(told, list) else [told]))


def _principals(told: Mapping[str, Any]) -> tuple[str, ...]:
    given = told.get("Principal", "*")  # A caller's own policy names nobody.
    if "NotPrincipal" in told or not isinstance(given, Mapping):
        return ("*",) if told.get("NotPrincipal") is None else ("anybody but some",)
    # Services and federated users never call through this package.
    return tuple(name for kind in ("AWS", "CanonicalUser") for name in _texts(given.get(kind)))


def _holds_without_key(operator: str) -> bool:
    """Negated operators, ``…IfExists``, ``Null`` and ``ForAllValues:…``."""
    return (
        "not" in operator or operator.startswith("forall") or operator.endswith(("exists", "null"))
    )


def _texts(given: Any) -> tuple[str, ...]:
    if given is None:
        return ()
    return (str(given),) if isinstance(given, str | bool) else tuple(map(str, given))


def _widened(pattern: str) -> str:
    return _VARIABLE.sub("*", pattern)


def _contain(patterns: Iterable[str], resource: str) -> bool:
    """Whether a pattern covers all that another one stands for: only ``*`` covers a ``*``."""
    return any(_contains(pattern, resource) for pattern in patterns)


def _contains(pattern: str, resource: str) -> bool:
    if _VARIABLE.search(pattern):
        return False
    signs = {"*": ".*", "?": "[^*]"}
    text = "".join(signs.get(sign) or re.escape(sign) for sign in pattern)
    return re.fullmatch(text, resource, re.DOTALL) is not None
