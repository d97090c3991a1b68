"""A secret that a drill writes to the primary store, and looks for in every copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_multicloud.core.drill.secret_canary import (
    CanarySecret,
    CopyState,
    look_for_canary,
    write_canary_secret,
)
from airflow_multicloud.documents import read_document, to_document
from airflow_multicloud.errors import CloudError, ErrorKind, SecretsError
from airflow_multicloud.opening.deliveries import check_conn_ids, open_destination
from airflow_multicloud.operators.base import CloudOperator, Outcome, failure_of
from airflow_multicloud.operators.given import given_or_none
from airflow_multicloud.ports.secrets import SecretsService

if TYPE_CHECKING:
    from airflow.sdk import Context


class WriteCanarySecretOperator(CloudOperator):
    """Write a secret with a random value to the store whose secrets are copied.

    Let it come before the ``SyncSecretsOperator``. The secret is called ``<prefix>drill-canary-``
    and eight digits that stand for the store, and has the tag ``airflow-multicloud-drill``; the
    next drill replaces its value. One without the tag is somebody else's: it stays, and the task
    fails. Returns the name, the time and the SHA-256 of the value, and never the value. XCom has
    that under ``canary_secret`` also when the task fails, with the ``problem``.

    :param source: connection id of the store.
    :param prefix: how the names of the copied secrets begin.
    """

    template_fields: Sequence[str] = ("source", "prefix")
    report_key: ClassVar[str | None] = "canary_secret"

    def __init__(self, *, source: str, prefix: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.source = source
        self.prefix = prefix

    def perform(self, context: Context) -> Outcome:
        """Write it."""
        (source,) = check_conn_ids([self.source], "source", error=SecretsError)
        store = open_destination(SecretsService, source)
        try:
            canary = write_canary_secret(store, given_or_none(self.prefix) or "")
        except CloudError as err:
            problem = f"{err.kind}: {err}"
            failed = CanarySecret(conn_id=source, cloud=store.cloud, problem=problem)
            return Outcome(to_document(failed), err)
        self.log.info("canary secret %s written to %s", canary.name, source)
        return Outcome(to_document(canary))


class CheckCanarySecretOperator(CloudOperator):
    """Read the canary secret from every copy, and compare it with what was written.

    The store that it was written to is not asked. Returns what each copy was found to be, which is
    in XCom under ``canary_copies`` also when the task fails, as one is missing, has another value
    or can't be read.

    :param canary: what a ``WriteCanarySecretOperator`` returned.
    :param destinations: connection ids of the stores that have copies.
    """

    template_fields: Sequence[str] = ("canary", "destinations")
    report_key: ClassVar[str | None] = "canary_copies"

    def __init__(
        self, *, canary: Mapping[str, Any], destinations: Sequence[str], **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.canary = canary
        self.destinations = destinations

    def perform(self, context: Context) -> Outcome:
        """Look at each."""
        conn_ids = check_conn_ids(self.destinations, "destinations", error=SecretsError)
        stores = [open_destination(SecretsService, one) for one in conn_ids]
        found = look_for_canary(self._canary(), stores)
        for one in found.copies:
            tell = self.log.info if one.state is CopyState.SAME else self.log.error
            tell("%s: %s", one.conn_id, one.detail)
        return Outcome(to_document(found), failure_of(found.raise_if_lost))

    def _canary(self) -> CanarySecret:
        try:
            return read_document(CanarySecret, self.canary, what="canary")
        except CloudError as err:  # A template that is wrong stays wrong in the next try.
            raise SecretsError(str(err), kind=ErrorKind.INVALID_ARGUMENT) from err
