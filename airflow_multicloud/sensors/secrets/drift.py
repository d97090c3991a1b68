"""Wait until no secret of several clouds differs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from airflow_multicloud.errors import ErrorKind, SecretsError
from airflow_multicloud.opening.secrets import GivenSync, check_drift
from airflow_multicloud.operators.given import given_or_none
from airflow_multicloud.sensors.base import PollingSensor


class SecretDriftSensor(PollingSensor):
    """Succeed when every secret has the same value and tags at all destinations as at the source.

    While it waits, the log says which differ and how. It waits, too, while there is nothing to
    compare, and for secrets whose names can't be asked for; those that a service of the source's
    cloud keeps are left out. Nothing is written. Each look reads every value; returns the report,
    without values.

    :param source: connection id of the store that the others are compared with.
    :param destinations: connection ids.
    :param names: which secrets.
    :param prefix: instead of names: all secrets of the source whose names begin so.
    :param fail_on: ``conflict``: the sensor fails at once, without a retry, when a destination has
        a value that the source never had, which no waiting mends; ``nothing``: it goes on waiting.
    :param on_disabled: ``wait``: the sensor waits while a secret is disabled at the source, since
        nothing can be compared; ``fail``: it fails at once, without a retry.
    :param preserve_tags: whether tags are compared, too.
    :param accounts: connection id → the store that it must lead to.
    :param deferrable: wait in the triggerer.
    """

    template_fields: Sequence[str] = ("source", "destinations", "names", "prefix", "accounts")

    def __init__(
        self,
        *,
        source: str,
        destinations: Sequence[str],
        names: Sequence[str] | None = None,
        prefix: str | None = None,
        fail_on: Literal["conflict", "nothing"] = "conflict",
        on_disabled: Literal["wait", "fail"] = "wait",
        preserve_tags: bool = True,
        accounts: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.source = source
        self.destinations = destinations
        self.names = names
        self.prefix = prefix
        self.fail_on = fail_on
        self.on_disabled = on_disabled
        self.preserve_tags = preserve_tags
        self.accounts = accounts

    def question(self) -> tuple[Callable[..., dict[str, Any] | None], dict[str, Any]]:
        """Whether all are equal."""
        if self.fail_on not in ("conflict", "nothing"):
            raise SecretsError(
                f"fail_on: {self.fail_on!r} given, expected conflict or nothing",
                kind=ErrorKind.INVALID_ARGUMENT,
            )
        if self.on_disabled not in ("wait", "fail"):
            raise SecretsError(
                f"on_disabled: {self.on_disabled!r} given, expected wait or fail",
                kind=ErrorKind.INVALID_ARGUMENT,
            )
        given = GivenSync(
            source=self.source,
            destinations=self.destinations,
            names=given_or_none(self.names),
            prefix=given_or_none(self.prefix),
            preserve_tags=self.preserve_tags,
            accounts=given_or_none(self.accounts),
        )
        return check_drift, {
            "given": given.as_arguments(),
            "fail_on_conflict": self.fail_on == "conflict",
            "fail_on_disabled": self.on_disabled == "fail",
        }
