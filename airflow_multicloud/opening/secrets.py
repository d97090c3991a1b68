"""Secret stores opened from connection ids, and what is asked of them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from airflow_multicloud import registry
from airflow_multicloud.choices import choice
from airflow_multicloud.core.deliveries import Destination
from airflow_multicloud.core.secret_sync.engine import sync
from airflow_multicloud.core.secret_sync.options import DeletionPolicy, OnConflict, SyncOptions
from airflow_multicloud.core.secret_sync.outcomes import FindingKind
from airflow_multicloud.core.secret_sync.report import SyncFailedError, SyncReport
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import ErrorKind, SecretsError
from airflow_multicloud.lists import texts
from airflow_multicloud.opening.deliveries import check_conn_ids, open_destination
from airflow_multicloud.ports.secrets import Secret, SecretsService
from airflow_multicloud.text import printable

_log = logging.getLogger(__name__)

#: For a look that changes nothing there is no limit.
_UNLIMITED = 2**31


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenSync:
    """What is to be kept equal, as it was given; see :func:`airflow_multicloud.api.sync_secrets`.

    :param source: connection id.
    :param destinations: connection ids.
    :param numbers: ``max_replace``, ``max_remove`` and ``workers``, as far as they were given.
    """

    source: object
    destinations: object
    names: object = None
    prefix: object = None
    on_conflict: object = OnConflict.FAIL
    deletion_policy: object = DeletionPolicy.RETAIN
    preserve_tags: bool = True
    dry_run: bool = False
    accounts: object = None
    numbers: Mapping[str, object] | None = None

    def options(self) -> SyncOptions:
        """What was given, checked.

        :raises SecretsError: ``invalid_argument``, naming the parameter.
        """
        return SyncOptions(
            names=() if self.names is None else _names(self.names),
            prefix=_text("prefix", self.prefix),
            on_conflict=choice("on_conflict", self.on_conflict, OnConflict, error=SecretsError),
            deletion_policy=choice(
                "deletion_policy", self.deletion_policy, DeletionPolicy, error=SecretsError
            ),
            preserve_tags=self.preserve_tags,
            dry_run=self.dry_run,
            **{name: _number(name, given) for name, given in (self.numbers or {}).items()},
        )

    def as_arguments(self) -> dict[str, Any]:
        """The part that a comparison needs, as JSON: for a process that waits.

        :raises SecretsError: as :meth:`options`.
        """
        options = self.options()
        return {
            "source": self.source,
            "destinations": [
                *check_conn_ids(self.destinations, "destinations", error=SecretsError)
            ],
            "names": [*options.names] or None,
            "prefix": options.prefix or None,
            "preserve_tags": options.preserve_tags,
            "accounts": dict(_accounts(self.accounts)) or None,
        }


@registry.session()
def sync_secrets(given: GivenSync) -> SyncReport:
    """Open the stores and make their secrets equal.

    :raises CloudError: as :func:`~airflow_multicloud.core.secret_sync.engine.sync`.
    """
    with operation("secrets.sync"):
        options = given.options()
        source, destinations = _opened(given)
        return sync(source, destinations, options, _accounts(given.accounts))


@registry.session()
def secret_drift(given: GivenSync) -> SyncReport:
    """How secrets differ; nothing is written.

    :raises CloudError: as :func:`sync_secrets`.
    """
    with operation("secrets.drift"):
        looking = replace(
            given,
            on_conflict=OnConflict.FAIL,
            deletion_policy=DeletionPolicy.RETAIN,
            dry_run=True,
            numbers={"max_replace": _UNLIMITED},
        )
        options = looking.options()
        source, destinations = _opened(looking)
        return sync(source, destinations, options, _accounts(looking.accounts))


@registry.session()
def list_secrets(conn_id: str, prefix: str = "") -> tuple[Secret, ...]:
    """The secrets of a store whose names begin so, by name, without values.

    :raises CloudError: when the store can't be asked.
    """
    with operation("secrets.list", cloud__provider=registry.cloud_of(conn_id).name):
        found = registry.resolve(SecretsService, conn_id).find_secrets(prefix)
        return tuple(sorted(found, key=lambda one: one.name))


def check_drift(
    *, given: Mapping[str, Any], fail_on_conflict: bool, fail_on_disabled: bool = False
) -> dict[str, Any] | None:
    """The report when everything is equal, else ``None``, and in the log what is not.

    :param given: the fields of :class:`GivenSync`, as JSON.
    :param fail_on_conflict: whether a value that somebody else wrote is an error.
    :param fail_on_disabled: whether a secret that is disabled at the source is an error.
    :raises CloudError: when a store can't be asked.
    :raises SyncFailedError: for a conflict, or a disabled secret.
    """
    report = secret_drift(GivenSync(**given))
    if report.in_sync:
        return to_document(report)
    for one in report.destinations:
        _log.info("not yet: %s", one)
    for finding in report.findings:
        _log.info("%s", finding)
    unusable = any(one.error is not None or one.failed for one in report.destinations)
    conflict = any(one.conflict for one in report.destinations)
    if unusable or (conflict and fail_on_conflict):
        report.raise_if_failed()
    disabled = [one for one in report.findings if one.finding is FindingKind.SOURCE_NOT_READABLE]
    if disabled and fail_on_disabled:
        raise SyncFailedError(
            f"nothing can be compared with what is disabled: {disabled[0]}",
            kind=ErrorKind.PRECONDITION_FAILED,
            report=report,
        )
    return None


def _opened(
    given: GivenSync,
) -> tuple[Destination[SecretsService], list[Destination[SecretsService]]]:
    source = _text("source", given.source)
    conn_ids = check_conn_ids(given.destinations, "destinations", error=SecretsError)
    if not source:
        raise _refused("source: nothing given, expected a connection id")
    if source in conn_ids:
        raise _refused(f"destinations: {source} given, which is the source; expected others")
    return (
        open_destination(SecretsService, source),
        [open_destination(SecretsService, one) for one in conn_ids],
    )


def _names(given: object) -> tuple[str, ...]:
    return texts(
        given,
        "names",
        what="names of secrets",
        error=SecretsError,
        if_empty="give at least one, or a prefix",
    )


def _accounts(given: object) -> Mapping[str, str]:
    if given is None:
        return {}
    good = isinstance(given, Mapping) and all(
        isinstance(text, str) and text.strip() for pair in given.items() for text in pair
    )
    if not good or not isinstance(given, Mapping):
        raise _refused("accounts: expected a mapping of connection ids to stores, all texts")
    return given


def _text(parameter: str, given: object) -> str:
    if given is None:
        return ""
    if not isinstance(given, str):
        raise _refused(f"{parameter}: {type(given).__name__} given, expected a text")
    return given


def _number(parameter: str, given: object) -> int:
    try:
        number = int(given) if isinstance(given, int | str) else -1
    except ValueError:
        number = -1
    if isinstance(given, bool) or number < 0:
        shown = printable(repr(given))
        raise _refused(f"{parameter}: {shown} given, expected a whole number from 0")
    return number


def _refused(message: str) -> SecretsError:
    return SecretsError(message, kind=ErrorKind.INVALID_ARGUMENT)
