"""What was planted: rules of each space, and the tokens that it gave."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from airflow_multicloud.ports.identity import Decision, TokenScope


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What is said of some actions on some resources.

    :param action: ``*`` in it stands for any characters.
    :param resource: likewise.
    :param reason: why.
    """

    decision: Decision
    action: str = "*"
    resource: str = "*"
    reason: str = "planted by the test"


@dataclass(slots=True)
class Space:
    """One connection's; safe for many threads, since nothing is changed but by adding."""

    rules: list[Rule] = field(default_factory=list)
    tokens: dict[str, TokenScope] = field(default_factory=dict)

    def decide(self, action: str, resource: str) -> tuple[Decision, str]:
        """The decision and its reason."""
        for rule in reversed(self.rules):
            if fnmatchcase(action, rule.action) and fnmatchcase(resource, rule.resource):
                return rule.decision, rule.reason
        return Decision.ALLOW, "nothing is planted for it, so it is allowed"

    def forget(self) -> None:
        """As new."""
        self.rules.clear()
        self.tokens.clear()


_SPACES: dict[str, Space] = {}
_LOCK = threading.Lock()


def world(conn_id: str) -> Space:
    """The space of a connection."""
    with _LOCK:
        return _SPACES.setdefault(conn_id, Space())
