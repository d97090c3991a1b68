"""What goes with every S3 request of a connection: who must own the bucket, and who pays.

The connection's extra says it: ``expected_bucket_owner`` (an account's number) and
``requester_pays``. Where no owner is expected, the one that a bucket has when this process first
meets it is: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
says against what.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from airflow_multicloud.adapters.locks import KeyLocks
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.object_store.errors import translated
from airflow_multicloud.errors import CloudError, CredentialsError, ErrorKind, StorageError

_log = logging.getLogger(__name__)

_ACCOUNT = re.compile(r"\d{12}")
_SWITCH = {"true": True, "false": False}

#: Members of botocore's request models, and so all there is to know of an operation here.
_OWNERS = ("ExpectedBucketOwner", "ExpectedSourceBucketOwner")
_PAYER = "RequestPayer"

# What is asked before a bucket is there, or to find out about it; and what shows no content.
_UNASKED = frozenset({"CreateBucket", "HeadBucket", "GetBucketAcl", "ListBuckets", "HeadObject"})


@dataclass(frozen=True, slots=True)
class Terms:
    """What a connection's extra says of every request.

    :param expected_owner: the account that must own every bucket.
    :param requester_pays: whether requests offer to pay for what they cost.
    """

    expected_owner: str | None = None
    requester_pays: bool = False

    @property
    def headers(self) -> dict[str, str]:
        """What they are in a request's headers."""
        return {"x-amz-expected-bucket-owner": self.expected_owner} if self.expected_owner else {}

    def add_to(self, params: dict[str, Any], model: Any, **_: object) -> None:
        """Add them to a call's parameters; a handler of botocore's ``provide-client-params``."""
        known = model.input_shape.members if model.input_shape else ()
        if self.expected_owner is not None:
            for name in _OWNERS:
                if name in known:
                    params.setdefault(name, self.expected_owner)
        if self.requester_pays and _PAYER in known:
            params.setdefault(_PAYER, "requester")


def terms_of(conn_id: str | None, extra: Mapping[str, Any], *, requester_pays: bool) -> Terms:
    """The terms that a connection's extra states.

    :param requester_pays: what the hook itself was told.
    :raises CredentialsError: kind ``invalid_argument``, naming the extra.
    """
    owner, pays = extra.get("expected_bucket_owner"), extra.get("requester_pays", requester_pays)
    if owner is not None and not (isinstance(owner, str) and _ACCOUNT.fullmatch(owner)):
        raise _refused(conn_id, "expected_bucket_owner", owner, "an account's 12 digits as text")
    pays = _SWITCH.get(pays.lower(), pays) if isinstance(pays, str) else pays
    if not isinstance(pays, bool):
        raise _refused(conn_id, "requester_pays", pays, "true or false")
    return Terms(owner, pays or requester_pays)


def _refused(conn_id: str | None, name: str, given: object, allowed: str) -> CredentialsError:
    return CredentialsError(
        f"connection {conn_id!r}: extra {name} is {given!r}, expected {allowed}",
        kind=ErrorKind.INVALID_ARGUMENT,
        cloud=NAME,
    )


class Owners:
    """Whose the buckets of one endpoint were when this process met them first.

    A bucket that is deleted may be recreated by anybody, under the same name: what is then read
    is theirs to choose, and what is written theirs to read.
    """

    _lock = threading.Lock()
    _first: dict[tuple[str, str], str] = {}  # noqa: RUF012 - of the process, not of one object

    def __init__(self, client: Any) -> None:
        self._client = client
        self._endpoint = str(client.meta.endpoint_url)
        self._asked: set[str] = set()
        self._asking = KeyLocks()

    def before(self, params: Mapping[str, Any], model: Any, **_: object) -> None:
        """Look at a bucket before its first request; botocore's ``provide-client-params``."""
        if "Bucket" in params and model.name not in _UNASKED:
            self.look(params["Bucket"])

    def look(self, bucket: str) -> None:
        """Compare a bucket's owner with the one it had, once for each session.

        :raises StorageError: kind ``permission_denied`` when it is another by now.
        """
        if bucket in self._asked:
            return
        with self._asking.of(bucket):
            if bucket not in self._asked:
                self._compare(bucket)
                self._asked.add(bucket)

    def _compare(self, bucket: str) -> None:
        owner = self._ask(bucket)
        if owner is None:
            return
        with self._lock:
            first = self._first.setdefault((self._endpoint, bucket), owner)
        if first != owner:
            raise StorageError(
                f"bucket {bucket!r} belongs to {owner} now, and belonged to {first} when this "
                "process met it first: it was deleted and recreated by somebody else, it seems; if "
                "that was meant, say so by the connection's extra expected_bucket_owner",
                kind=ErrorKind.PERMISSION_DENIED,
                cloud=NAME,
            )

    def _ask(self, bucket: str) -> str | None:
        try:
            with translated(f"asking for the owner of bucket {bucket!r}"):
                answer = self._client.get_bucket_acl(Bucket=bucket)
        except ClientError as err:  # a code that is S3's own nowhere
            _log.debug("%s; a change of the owner of %s would not be noticed", err, bucket)
            return None
        except CloudError as err:
            if not isinstance(err.__cause__, ClientError | ResponseParserError):
                raise  # Nobody answered, and nobody would the request itself.
            _log.debug("%s; a change of its owner would not be noticed", err)
            return None
        # Some stores answer without one, or with an empty one: then it is not known.
        owner: str = answer.get("Owner", {}).get("ID", "").strip()
        return owner or None
