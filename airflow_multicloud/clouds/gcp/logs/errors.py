"""What Cloud Logging's errors mean: what those of all Google services do."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from google.api_core import exceptions as api
from google.cloud.logging_v2.types import WriteLogEntriesPartialErrors
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.code_pb2 import Code

from airflow_multicloud.adapters.answers import not_an_answer
from airflow_multicloud.adapters.batches import rejected
from airflow_multicloud.adapters.tallies import Reason
from airflow_multicloud.clouds.gcp import NAME, tries
from airflow_multicloud.clouds.gcp.errors import BASE
from airflow_multicloud.errors import ErrorKind, LogsError

TABLE = BASE

#: Turns the exceptions of Cloud Logging, and of the way there, into this package's.
translated = partial(tries.translated, area=LogsError)

_PARTIAL = WriteLogEntriesPartialErrors.pb(WriteLogEntriesPartialErrors())


def is_partial(err: BaseException) -> bool:
    """Whether some of a request's entries were written."""
    return isinstance(err, api.GoogleAPICallError) and bool(_partial_errors(err))


def partly_refused(doing: str, err: api.GoogleAPICallError, count: int) -> list[Reason | None]:
    """What became of each entry of a request of which some were refused; else nothing.

    https://cloud.google.com/logging/docs/reference/v2/rpc/google.logging.v2 says of
    ``WriteLogEntriesPartialErrors``: the entries that are not in it were written, and a request of
    which none was written has none.

    :param count: of the entries.
    :raises LogsError: kind ``integrity``, when it is about entries that were not sent.
    """
    refused = _partial_errors(err)
    if not refused:
        return []
    if not all(0 <= place < count for place in refused):
        raise not_an_answer(doing, NAME, "errors of entries that were not sent", area=LogsError)
    return [refused.get(place) for place in range(count)]


def _partial_errors(err: api.GoogleAPICallError) -> Mapping[int, Reason]:
    found: dict[int, Reason] = {}
    for detail in err.details:
        message = type(_PARTIAL)()
        if isinstance(detail, AnyMessage) and detail.Unpack(message):
            for place, status in message.log_entry_errors.items():
                code = Code.Name(status.code) if status.code in Code.values() else str(status.code)
                kind = TABLE.kind_of_code(code) or ErrorKind.INVALID_ARGUMENT
                found[place] = rejected(kind, status.message or code, code=code)
    return found
