"""Identity: whom a connection's credentials belong to, and what they may do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol, runtime_checkable

from airflow_multicloud.errors import ErrorKind


@dataclass(frozen=True, slots=True)
class Principal:
    """Whom a cloud takes the caller for.

    :param account_id: AWS account id, Google Cloud project id, Azure subscription id.
    :param principal: AWS ARN, Google service account or user e-mail, Microsoft Entra object
        or client id.
    :param region: the connection's default region, where it has one.
    """

    account_id: str
    principal: str
    region: str | None = None


class Identity(Protocol):
    """What every cloud can say of the caller."""

    def who_am_i(self) -> Principal:
        """The account and principal of the connection's own credentials, asked of the cloud.

        :raises CredentialsError: when there are no credentials or the cloud refuses them.
        """
        ...


class Decision(StrEnum):
    """Whether the caller may do something; what can't be found out is never ``allow``."""

    ALLOW = "allow"
    DENY = "deny"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionCheck:
    """What a cloud says of one action on one resource.

    :param action: ``s3:PutObject``, ``storage.objects.create``,
        ``Microsoft.Storage/…/blobs/write``.
    :param resource: as the cloud writes it.
    :param reason: why: which policy or layer decides, or why it can't be known.
    :param asked: the call that told; ``None`` when nothing could be asked.
    :param kind: of the error that was the answer, where it is not known for one.
    """

    action: str
    resource: str
    decision: Decision
    reason: str
    asked: str | None = None
    kind: ErrorKind | None = None


@runtime_checkable
class PermissionChecks(Protocol):
    """What the caller may do, without doing it; every cloud of this package has it."""

    def check_permissions(
        self,
        actions: Sequence[str],
        resource: str,
        *,
        to_be_made: bool = False,
        context: Mapping[str, str] = MappingProxyType({}),
    ) -> tuple[PermissionCheck, ...]:
        """One answer for each action, in their order; nothing is changed by asking.

        An action that can't be judged is ``unknown``, with the reason; the others are answered.

        :param actions: as the cloud names them, at least one.
        :param resource: AWS: an ARN. Google Cloud: a full resource name
            (``//storage.googleapis.com/projects/_/buckets/b``). Azure: a resource id.
        :param to_be_made: the caller makes the resource before it does any of this: where a cloud
            sees that it is not there, what it is asked about is what the account gives. Without,
            that is ``unknown`` and of kind ``not_found``.
        :param context: keys of the cloud's conditions with the values that they will have: tags
            of the request or the resource. Only AWS has any here.
        :raises CredentialsError: when the credentials are refused; ``invalid_argument`` for what is
            no action or resource of this cloud.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenScope:
    """What a token is to be good for.

    :param actions: as the cloud names them.
    :param resources: on which, as in :meth:`PermissionChecks.check_permissions`.
    :param valid_for: how long, at most.
    """

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    valid_for: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopedToken:
    """Credentials that allow less than the caller's own, for a limited time; hidden in ``repr``.

    :param credentials: name → value, as the cloud's SDK names them: ``access_key``,
        ``secret_key`` and ``token`` on AWS, ``token`` on Google Cloud.
    """

    credentials: Mapping[str, str] = field(repr=False)
    expires_at: datetime


@runtime_checkable
class ScopedTokens(Protocol):
    """Optional capability: credentials for a part of what the caller may do."""

    def scoped_token(self, scope: TokenScope) -> ScopedToken:
        """Make credentials that allow this and nothing else.

        Airflow's masker is told of them before they are given back.

        :raises CredentialsError: ``permission_denied``; ``invalid_argument`` when the cloud can't
            narrow a token like this.
        """
        ...
