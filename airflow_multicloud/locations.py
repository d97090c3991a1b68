"""Object locations as URIs in Airflow's own form: ``scheme://conn_id@bucket/key``.

In place of a bucket, ``s3://`` takes the ARN of an access point, which holds colons and may hold
a slash, and Ceph's ``tenant:bucket``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.lists import UNRENDERED, is_template
from airflow_multicloud.ports.object_store import ObjectRef

_S3 = "s3"
# docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-naming.html; the ones of several
# regions, of Object Lambda and of Outposts have the same form.
_ARN = re.compile(
    r"arn:[\w-]+:s3[\w-]*:[\w-]*:\d*:"
    r"(?:outpost[/:][\w.-]+[/:])?accesspoint[/:][\w.-]+(?=/|$)"
)
# docs.ceph.com/en/latest/radosgw/multitenancy: an empty tenant is the one of old. Digits only
# would be a port.
_TENANT = re.compile(r"\w*:(?!\d+$)[\w.-]+")


@dataclass(frozen=True, slots=True)
class Location:
    """A bucket and a key or prefix in it, and the connection that reaches it.

    The key is taken literally: it is not percent-decoded, and ``?`` and ``#`` are part of it.
    ``conn_id`` is ``None`` when the URI names none; the registry then takes the scheme's
    default.
    """

    scheme: str
    conn_id: str | None
    bucket: str
    key: str

    @property
    def is_prefix(self) -> bool:
        """Whether this names a prefix (it is empty or ends with a slash) and not one object."""
        return not self.key or self.key.endswith("/")

    @property
    def ref(self) -> ObjectRef:
        """The object of this key."""
        return ObjectRef(self.bucket, self.key)

    def with_key(self, key: str) -> Location:
        """The same bucket and connection with another key."""
        return Location(self.scheme, self.conn_id, self.bucket, key)

    def __str__(self) -> str:
        """The URI."""
        at = f"{self.conn_id}@" if self.conn_id else ""
        return f"{self.scheme}://{at}{self.bucket}/{self.key}"


def parse_location(uri: str, *, parameter: str) -> Location:
    """Parse ``scheme://[conn_id@]bucket/key``.

    The bucket of an ``s3://`` URI that names a connection may also be ``tenant:bucket``.

    :param parameter: the name of the parameter ``uri`` was given for, for the error.
    :raises StorageError: kind ``invalid_argument`` when it is not such a URI, or when it
        carries a password or an account host, which belong into the connection.
    """
    check_template(uri, parameter=parameter)
    scheme, separator, rest = uri.partition("://")
    authority, _, key = rest.partition("/")
    # What stands around a colon may be a login and password, so it is never echoed.
    before_at = rest.partition("@")[0] if separator else uri.rpartition("@")[0]
    hidden = f"{scheme}://…" if separator else "the text given"
    shown = hidden if ":" in before_at else repr(uri.partition("?")[0])
    if not separator or not scheme or not authority:
        raise _refused(parameter, shown, "scheme://conn_id@bucket/key")
    conn_id, at, bucket = authority.rpartition("@")
    if scheme.lower() == _S3 and bucket.startswith("arn:"):
        arn = _ARN.match(rest, len(conn_id) + len(at))
        if arn is None:
            raise _refused(parameter, shown, "the ARN of an access point, then /key")
        bucket, key = arn[0], rest[arn.end() + 1 :]
    elif ":" in bucket and not (
        scheme.lower() == _S3 and conn_id and ":" not in conn_id and _TENANT.fullmatch(bucket)
    ):
        raise _refused_colon(parameter, scheme)
    if ":" in conn_id:
        raise _refused_colon(parameter, scheme)
    if not bucket or (at and not conn_id) or "@" in conn_id:
        raise _refused(parameter, shown, "scheme://conn_id@bucket/key")
    if "." in bucket and scheme.startswith("abfs"):
        raise _refused(
            parameter, shown, "abfs://conn_id@container/key; the account is the connection's"
        )
    return Location(scheme.lower(), conn_id or None, bucket, key)


def check_template(text: str, *, parameter: str) -> None:
    """Refuse a template that nobody has rendered: it would be taken letter by letter.

    :raises StorageError: kind ``invalid_argument``.
    """
    if is_template(text):
        raise StorageError(f"{parameter}: {UNRENDERED}", kind=ErrorKind.INVALID_ARGUMENT)


def _refused_colon(parameter: str, scheme: str) -> StorageError:
    return _refused(
        parameter, f"{scheme}://…", "scheme://conn_id@bucket/key, without a port or password"
    )


def _refused(parameter: str, given: str, allowed: str) -> StorageError:
    return StorageError(
        f"{parameter}: {given} is not a location; expected {allowed}",
        kind=ErrorKind.INVALID_ARGUMENT,
    )
