"""Identity in memory: everything is allowed but what is planted otherwise.

Actions are ``service.verb`` (``object_store.put_object``), resources ``//memory/SERVICE/NAME``
(``//memory/object_store/bucket``).
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final

from airflow_multicloud.adapters.masking import mask_value
from airflow_multicloud.adapters.permissions import (
    Question,
    checked_actions,
    refused,
    shown,
)
from airflow_multicloud.ports.identity import (
    Decision,
    PermissionCheck,
    Principal,
    ScopedToken,
    TokenScope,
)
from airflow_multicloud.testing.memory_cloud import NAME
from airflow_multicloud.testing.memory_cloud.identity.rules import Rule, world

__all__ = ["Hook", "Rule", "is_good_for", "plant", "reset"]

_ACTION = re.compile(r"[a-z_]+(?:\.[a-z_]+)+")
_RESOURCE = re.compile(r"//memory/\S+")
_LONGEST: Final = timedelta(hours=12)


def plant(conn_id: str, *rules: Rule) -> None:
    """Add rules of a space; of those that concern an action, the last one decides.

    :param conn_id: the space.
    """
    world(conn_id).rules.extend(rules)


def reset(conn_id: str) -> None:
    """Forget a space's rules and tokens."""
    world(conn_id).forget()


def is_good_for(conn_id: str, token: ScopedToken, action: str, resource: str) -> bool:
    """Whether a token lets its bearer do something now.

    :param conn_id: the space that gave it.
    """
    found = world(conn_id).tokens.get(token.credentials["token"])
    return (
        found is not None
        and token.expires_at > datetime.now(UTC)
        and action in found.actions
        and resource in found.resources
        and world(conn_id).decide(action, resource)[0] is Decision.ALLOW
    )


class Hook:
    """Says that the caller is the connection itself, and what was planted for it.

    :param memory_conn_id: the space asked for; the connection itself is never read.
    """

    conn_name_attr = "memory_conn_id"

    def __init__(self, memory_conn_id: str = "memory_default") -> None:
        self.memory_conn_id = memory_conn_id

    def who_am_i(self) -> Principal:
        """An account per connection id."""
        return Principal(account_id=f"memory-{self.memory_conn_id}", principal="tester")

    def check_permissions(
        self,
        actions: Sequence[str],
        resource: str,
        *,
        to_be_made: bool = False,  # noqa: ARG002  # rules are of resources that need not be there
        context: Mapping[str, str] = MappingProxyType({}),  # noqa: ARG002  # it has no such keys
    ) -> tuple[PermissionCheck, ...]:
        """What the space's rules say of each.

        :param actions: as ``object_store.put_object``.
        :param resource: as ``//memory/object_store/bucket``.
        :param to_be_made: makes no difference.
        :param context: makes no difference.
        :raises CredentialsError: kind ``invalid_argument`` for what is none of these.
        """
        given = _checked(actions)
        _check_resource(resource)
        question = Question(resource=resource, asked="memory.check_permissions")
        space = world(self.memory_conn_id)
        return tuple(question.answer(one, *space.decide(one, resource)) for one in given)

    def scoped_token(self, scope: TokenScope) -> ScopedToken:
        """A token that :func:`is_good_for` these actions on these resources.

        :param scope: ``valid_for`` is up to 12 hours.
        :raises CredentialsError: kind ``invalid_argument``.
        """
        _checked(scope.actions)
        for resource in scope.resources:
            _check_resource(resource)
        if not scope.resources:
            raise refused("resources", "none given; expected at least one", NAME)
        if not timedelta(0) < scope.valid_for <= _LONGEST:
            raise refused("valid_for", f"{scope.valid_for} given; expected up to {_LONGEST}", NAME)
        token = secrets.token_urlsafe()
        mask_value(token.encode())
        world(self.memory_conn_id).tokens[token] = scope
        return ScopedToken(
            credentials={"token": token}, expires_at=datetime.now(UTC) + scope.valid_for
        )


def _checked(actions: Sequence[str]) -> tuple[str, ...]:
    return checked_actions(actions, _ACTION, expected="service.verb", cloud=NAME)


def _check_resource(resource: str) -> None:
    if not isinstance(resource, str) or _RESOURCE.fullmatch(resource) is None:
        raise refused("resource", f"{shown(resource)} given; expected //memory/SERVICE/NAME", NAME)
