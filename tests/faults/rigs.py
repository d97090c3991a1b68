"""One cloud behind a proxy: how to reach it, what its traffic looks like, how it says no."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from typing import TYPE_CHECKING

from airflow_multicloud import registry
from airflow_multicloud.adapters.digests import digests_of
from airflow_multicloud.core.endpoints import RESERVED_PREFIX, Endpoint
from airflow_multicloud.locations import Location
from airflow_multicloud.ports.object_store import (
    BucketCreation,
    ObjectRef,
    ObjectStore,
    PartLimits,
    PartUploads,
)
from airflow_multicloud.testing.memory_cloud import object_store as memory

from .proxy import Answer, FaultProxy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MIB = 1 << 20
BUCKET = "faults"
_numbers = count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """How a cloud's requests are told apart; each is (method, target, body) for a rule."""

    read: tuple[str, str, bytes]
    write: tuple[str, str, bytes]
    part: tuple[str, str, bytes]
    complete: tuple[str, str, bytes]
    write_again: tuple[str, str, bytes] | None = None
    """How a write is sent once more that was refused."""

    def of(self, kind: str, name: str = "") -> dict[str, str | bytes]:
        """The arguments of a rule for this kind of request about the object ``name``."""
        method, target, body = getattr(self, kind)
        return {
            "method": method,
            "target": target.replace("NAME", name),
            "body": body.replace(b"NAME", name.encode()),
        }


def _xml(code: str, message: str) -> bytes:
    return (
        f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code>'
        f"<Message>{message}</Message></Error>"
    ).encode()


def _xml_answer(status: int, code: str, message: str, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"Content-Type": "application/xml", **named}, _xml(code, message))


def _google(status: int, reason: str, message: str) -> Answer:
    error = {"code": status, "message": message, "errors": [{"reason": reason}]}
    body = json.dumps({"error": error}).encode()
    return Answer(status, {"Content-Type": "application/json; charset=UTF-8"}, body)


def _azure(status: int, code: str, message: str) -> Answer:
    return _xml_answer(status, code, message, x_ms_error_code=code)


_GCS = Traffic(
    read=("GET", r"^/(?!storage/v1).*NAME(\?|$)", b""),
    write=("POST", "^/upload/", b"/NAME"),
    part=("POST", "^/upload/", rb'"name": "\.airflow-multicloud/parts/'),
    complete=("POST", "/rewriteTo/", b""),
)
TRAFFIC: Mapping[str, Traffic] = {
    "aws": Traffic(
        read=("GET", r"NAME(\?|$)", b""),
        write=("PUT", r"NAME(\?x-id|$)", b""),
        part=("PUT", "partNumber=", b""),
        complete=("POST", r"\?uploadId=", b""),
    ),
    "gcp": _GCS,
    "gcp-xml": Traffic(
        read=_GCS.read,
        write=("PUT", "/NAME$", b""),
        part=_GCS.part,
        complete=_GCS.complete,
        write_again=_GCS.write,
    ),
    "azure": Traffic(
        read=("GET", r"NAME(\?(?!comp)|$)", b""),
        write=("PUT", r"NAME(\?(?!comp)|$)", b""),
        part=("PUT", "comp=block&", b""),
        complete=("PUT", "comp=blocklist", b""),
    ),
}

THROTTLED: Mapping[str, Answer] = {
    "aws": _xml_answer(503, "SlowDown", "Please reduce your request rate."),
    "gcp": _google(429, "rateLimitExceeded", "The rate of requests is too high."),
    "azure": _azure(503, "ServerBusy", "The server is busy."),
}
UNAVAILABLE: Mapping[str, Answer] = {
    "aws": _xml_answer(503, "ServiceUnavailable", "Service is unable to handle request."),
    "gcp": _google(503, "backendError", "Backend Error"),
    "azure": _azure(500, "InternalError", "The server encountered an internal error."),
}
EXPIRED: Mapping[str, Answer] = {
    "aws": _xml_answer(400, "ExpiredToken", "The provided token has expired."),
    "gcp": _google(401, "authError", "Invalid Credentials"),
    # What the Blob service answers to an Entra token whose lifetime is over.
    "azure": _azure(401, "InvalidAuthenticationInfo", "Lifetime validation failed."),
}
FORBIDDEN: Mapping[str, Answer] = {
    "aws": _xml_answer(403, "AccessDenied", "Access Denied"),
    "gcp": _google(403, "forbidden", "The caller does not have permission."),
    "azure": _azure(403, "AuthorizationPermissionMismatch", "This request is not authorized."),
}

#: What makes an object another in a cloud's answers to reads and writes.
OTHER_IDENTITY: Mapping[str, Mapping[str, str]] = {
    "aws": {"ETag": '"0123456789abcdef0123456789abcdef"'},
    "gcp": {"x-goog-generation": "1234567890", "ETag": '"0123"'},
    "azure": {"ETag": '"0x8DDAAAAAAAAAAAA"'},
}
SCHEMES = {"aws": "s3", "gcp": "gs", "azure": "abfs"}


class Rig:
    """A cloud: through the proxy, and directly."""

    def __init__(
        self,
        cloud: str,
        proxy: FaultProxy,
        *,
        traffic: Traffic,
        faulty_conn: str,
        patient_conn: str,
        direct_conn: str,
    ) -> None:
        self.cloud = cloud
        self.proxy = proxy
        self.traffic = traffic
        self.faulty_conn = faulty_conn
        self.patient_conn = patient_conn
        self._direct_conn = direct_conn
        self._stores = {c: registry.resolve(ObjectStore, c) for c in (faulty_conn, direct_conn)}
        store = self._stores[direct_conn]
        assert isinstance(store, BucketCreation)
        store.ensure_bucket(BUCKET)

    def endpoint(self, prefix: str, *, direct: bool = False) -> Endpoint:
        """A prefix in the bucket, through the proxy unless ``direct``."""
        conn_id = self._direct_conn if direct else self.faulty_conn
        location = Location(SCHEMES[self.cloud], conn_id, BUCKET, prefix)
        return Endpoint(self.cloud, self._stores[conn_id], location)

    def patient_uri(self, prefix: str) -> str:
        """A prefix through the proxy, for a process whose requests may take their time."""
        return str(Location(SCHEMES[self.cloud], self.patient_conn, BUCKET, prefix))


def fresh_prefix(kind: str) -> str:
    """A prefix no other test has used."""
    return f"{kind}-{next(_numbers)}/"


def memory_endpoint(prefix: str) -> Endpoint:
    """A prefix in a new in-memory account, large enough for every test here."""
    conn_id = f"memory_faults_{next(_numbers)}"
    memory.reset(
        conn_id,
        limits=PartLimits(
            put_limit=64 * MIB,
            min_part=0,
            max_part=64 * MIB,
            max_parts=10_000,
            max_object=1 << 40,
        ),
    )
    store = memory.Hook(conn_id)
    store.ensure_bucket(BUCKET)
    return Endpoint("memory", store, Location("mem", conn_id, BUCKET, prefix))


def fill(end: Endpoint, tree: Mapping[str, bytes]) -> None:
    for name, content in tree.items():
        # With an MD5, which Azure else would not keep.
        digests = digests_of(content)
        end.store.put_object(end.ref(end.location.key + name), content, digests=digests)


def hashes_of(tree: Mapping[str, bytes]) -> dict[str, str]:
    return {name: sha256(content).hexdigest() for name, content in tree.items()}


def hashes_at(end: Endpoint) -> dict[str, str]:
    """SHA-256 of everything below an endpoint, read again."""
    prefix = end.location.key
    return {
        meta.key.removeprefix(prefix): sha256(
            end.store.get_object(ObjectRef(BUCKET, meta.key)).read()
        ).hexdigest()
        for meta in end.store.list_objects(BUCKET, prefix)
        if not meta.key.startswith(RESERVED_PREFIX)
    }


def leftovers(end: Endpoint) -> list[str]:
    """Uploads, parts and files of sharded runs that are still there."""
    assert isinstance(end.store, PartUploads)
    found = [u.ref.key for u in end.store.list_uploads(BUCKET, end.location.key)]
    for kind in ("parts", "runs"):
        found += _keys(end.store.list_objects(BUCKET, f"{RESERVED_PREFIX}{kind}/"))
    return found


def _keys(metas: Iterable[object]) -> list[str]:
    return [meta.key for meta in metas]  # type: ignore[attr-defined]
