"""The account: its users and roles, their policies, and the keys that were given for them.

A record of service ``identity`` is one of:

- ``{"principal": "user/tests/deployer", "policy": NAME, "document": {…}}``: attach a policy; with
  ``"layer": "boundary"`` or ``"organization"`` it is one of that layer, which must allow, too; with
  ``"inline": true`` it is no managed one, and with ``"group": NAME`` it is a group's of the user;
- ``{"principal": …, "clear": true}``: take all of its policies away, also the first ones;
- ``{"bucket": NAME, "account": ID}``: a bucket of an account; with ``"policy": {…}`` it has one.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_multicloud.testing.local_clouds.aws import ACCESS_KEY, SECRET_KEY
from airflow_multicloud.testing.local_clouds.aws.identity import ACCOUNT, ROLE, USER
from airflow_multicloud.testing.local_clouds.aws.identity.policies import (
    Context,
    Layer,
    Outcome,
    together,
)
from airflow_multicloud.testing.local_clouds.kit.state import State

SERVICE = "identity"
_EVERYTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whoever has a key.

    :param principal: ``user/…`` or ``role/…``, whose policies are its.
    :param arn: as ``GetCallerIdentity`` tells it.
    :param session: the session's own policy, which must allow, too.
    :param token: that comes with each request; empty for a user's own key.
    """

    principal: str
    arn: str
    secret: str
    session: Layer | None = None
    token: str = ""
    expires_at: datetime | None = None

    @property
    def is_good(self) -> bool:
        """Whether its key has not ended."""
        return self.expires_at is None or self.expires_at > datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One of a principal's.

    :param layer: ``identity``, ``boundary`` or ``organization``.
    :param group: that it is attached to; empty for the principal itself.
    """

    name: str
    document: Mapping[str, Any]
    layer: str = "identity"
    group: str = ""
    is_inline: bool = False


@dataclass(slots=True)
class World:
    """What is known of the account; policies and buckets are what was seeded."""

    state: State
    callers: dict[str, Caller] = field(
        default_factory=lambda: {
            ACCESS_KEY: Caller(
                principal=USER, arn=f"arn:aws:iam::{ACCOUNT}:{USER}", secret=SECRET_KEY
            )
        }
    )

    @property
    def secrets(self) -> Mapping[str, str]:
        """Access key → secret key."""
        return {key: caller.secret for key, caller in self.callers.items()}

    def open_session(
        self, principal: str, arn: str, policy: Mapping[str, Any] | None, lifetime: timedelta
    ) -> tuple[str, Caller]:
        """Give a key for a session; it and its owner."""
        key = "ASIA" + secrets.token_hex(8).upper()
        self.callers[key] = caller = Caller(
            principal=principal,
            arn=arn,
            secret=secrets.token_urlsafe(30),
            session=None if policy is None else Layer.of([("session-policy", policy)]),
            token=secrets.token_urlsafe(60),
            expires_at=datetime.now(UTC) + lifetime,
        )
        return key, caller

    def has(self, principal: str) -> bool:
        """Whether there is such a user or role."""
        return principal in (USER, ROLE)

    def layers(self, principal: str) -> dict[str, Layer]:
        """The layers that decide what a principal may do, ``identity`` first."""
        found: dict[str, list[tuple[str, Mapping[str, Any]]]] = {"identity": []}
        for one in self.policies(principal):
            found.setdefault(one.layer, []).append((one.name, one.document))
        return {name: Layer.of(policies) for name, policies in found.items()}

    def policies(self, principal: str) -> list[Policy]:
        """All that are attached to a principal, in the order in which they were seeded."""
        found = [Policy(name="everything", document=_EVERYTHING)]
        for record in self.state.seeded(SERVICE):
            if record.get("principal") != principal:
                continue
            if record.get("clear"):
                found.clear()
            else:
                found.append(
                    Policy(
                        name=record["policy"],
                        document=record["document"],
                        layer=record.get("layer", "identity"),
                        group=record.get("group", ""),
                        is_inline=record.get("inline", False),
                    )
                )
        return found

    def judge(self, caller: Caller, action: str, resource: str, context: Context) -> Outcome:
        """Whether a caller may do something."""
        layers = list(self.layers(caller.principal).values())
        if caller.session is not None:
            layers.append(caller.session)
        return together(layer.evaluate(action, resource, context) for layer in layers)

    def bucket(self, name: str) -> Mapping[str, Any] | None:
        """The newest record of a bucket; ``None`` where there is none of that name."""
        records = reversed(self.state.seeded(SERVICE))
        return next((one for one in records if one.get("bucket") == name), None)
