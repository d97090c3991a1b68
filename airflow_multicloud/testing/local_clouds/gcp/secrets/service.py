"""What is served of Secret Manager.

https://cloud.google.com/secret-manager/docs/reference/rpc/google.cloud.secretmanager.v1; the texts
of refusals are those that users quote in issues of its clients.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, Final

import grpc
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import (
    SecretManagerServiceGrpcTransport,
)
from google.cloud.secretmanager_v1.types import service
from google.protobuf.empty_pb2 import Empty

from airflow_multicloud.testing.local_clouds.gcp.grpc.services import (
    Method,
    Refused,
    Service,
    invalid,
)
from airflow_multicloud.testing.local_clouds.gcp.secrets import rules
from airflow_multicloud.testing.local_clouds.gcp.secrets.faults import Faulty
from airflow_multicloud.testing.local_clouds.gcp.secrets.store import (
    KeptVersion,
    State,
    Store,
    checksum_of,
    new_etag,
)
from airflow_multicloud.testing.local_clouds.kit.state import State as ServerState
from airflow_multicloud.testing.secret_faults import SecretCall

#: Entries of a page: fewer than anybody asks for.
_PAGE: Final = 5

_SECRETS: Final = service.ListSecretsResponse.pb()
_VERSIONS: Final = service.ListSecretVersionsResponse.pb()
_ACCESSED: Final = service.AccessSecretVersionResponse.pb()


def secrets(state: ServerState) -> Service:
    """Secret Manager, empty.

    :param state: where its faults and damages are seeded.
    """
    store = Store()
    serving, faulty = _Serving(store), Faulty(store, state)
    read, write, remove = SecretCall.DESCRIBE, SecretCall.WRITE, SecretCall.REMOVE
    methods: dict[str, tuple[Callable[[Any], Any], SecretCall | None]] = {
        "list_secrets": (serving.list_secrets, SecretCall.LIST),
        "get_secret": (serving.get_secret, read),
        "create_secret": (serving.create_secret, write),
        "update_secret": (serving.update_secret, SecretCall.TAG),
        "delete_secret": (serving.delete_secret, None),
        "add_secret_version": (serving.add_secret_version, write),
        "list_secret_versions": (serving.list_secret_versions, read),
        "get_secret_version": (serving.get_secret_version, read),
        "access_secret_version": (serving.access_secret_version, SecretCall.READ),
        "disable_secret_version": (serving.disable_secret_version, remove),
        "enable_secret_version": (serving.enable_secret_version, remove),
        "destroy_secret_version": (serving.destroy_secret_version, None),
    }
    return Service(
        transport=SecretManagerServiceGrpcTransport,
        methods={
            name: Method(faulty.met(handler, call)) for name, (handler, call) in methods.items()
        },
    )


class _Serving:
    """The methods; the store's lock is held by who calls them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def list_secrets(self, request: Any) -> Any:
        rules.parts_of("list", request.parent)
        kept, token = _page(self._store.newest_first(), request)
        return _SECRETS(secrets=[one.told for one in kept], next_page_token=token)

    def get_secret(self, request: Any) -> Any:
        _, secret_id = rules.parts_of("get", request.name)
        return self._store.found(secret_id).told

    def create_secret(self, request: Any) -> Any:
        rules.parts_of("create", request.parent)
        rules.check_id(request.secret_id)
        rules.check_replication(request.secret)
        rules.check_secret(request.secret)
        rules.check_aliases(request.secret.version_aliases, ())
        return self._store.create(request.secret_id, request.secret).told

    def update_secret(self, request: Any) -> Any:
        _, secret_id = rules.parts_of("patch", request.secret.name)
        kept = self._store.found(secret_id)
        paths = rules.check_mask(request.update_mask.paths)
        rules.check_secret(request.secret)
        rules.check_aliases(request.secret.version_aliases, (one.number for one in kept.versions))
        _check_etag(kept.told, request.secret.etag)
        for path in paths:
            fields = getattr(kept.told, path)
            fields.clear()
            fields.update(getattr(request.secret, path))
        kept.told.etag = new_etag()
        return kept.told

    def delete_secret(self, request: Any) -> Any:
        _, secret_id = rules.parts_of("delete", request.name)
        _check_etag(self._store.found(secret_id).told, request.etag)
        self._store.delete(secret_id)
        return Empty()

    def add_secret_version(self, request: Any) -> Any:
        _, secret_id = rules.parts_of("addVersion", request.parent)
        kept, payload = self._store.found(secret_id), request.payload
        rules.check_payload(payload, checksum_of(payload.data))
        return kept.add(payload.data, checked=payload.HasField("data_crc32c")).told

    def list_secret_versions(self, request: Any) -> Any:
        _, secret_id = rules.parts_of("versions.list", request.parent)
        versions = list(reversed(self._store.found(secret_id).visible))
        kept, token = _page(versions, request)
        return _VERSIONS(versions=[one.told for one in kept], next_page_token=token)

    def get_secret_version(self, request: Any) -> Any:
        return self._version("get", request.name, aliases=True).told

    def access_secret_version(self, request: Any) -> Any:
        version = self._version("access", request.name, aliases=True)
        if version.told.state != State.ENABLED:
            raise _wrong_state(version)
        payload = {"data": version.data, "data_crc32c": version.checksum}
        return _ACCESSED(name=version.told.name, payload=payload)

    def disable_secret_version(self, request: Any) -> Any:
        return self._turned("disable", request, State.DISABLED)

    def enable_secret_version(self, request: Any) -> Any:
        return self._turned("enable", request, State.ENABLED)

    def destroy_secret_version(self, request: Any) -> Any:
        version = self._version("destroy", request.name)
        self._turned("destroy", request, State.DESTROYED)
        version.told.destroy_time.GetCurrentTime()
        version.data = b""
        return version.told

    def _version(self, method: str, name: str, *, aliases: bool = False) -> KeptVersion:
        _, secret_id, wanted = rules.parts_of(f"versions.{method}", name)
        return self._store.found(secret_id).found(wanted, aliases=aliases)

    def _turned(self, method: str, request: Any, state: Any) -> Any:
        version = self._version(method, request.name)
        _check_etag(version.told, request.etag)
        if version.told.state == State.DESTROYED:
            raise _wrong_state(version)
        version.told.state, version.told.etag = state, new_etag()
        return version.told


def _wrong_state(version: KeptVersion) -> Refused:
    state = State(version.told.state).name
    return Refused(
        grpc.StatusCode.FAILED_PRECONDITION,
        f"Secret Version [{version.told.name}] is in {state} state.",
    )


def _check_etag(told: Any, given: str) -> None:
    """https://google.aip.dev/154."""
    if given and given != told.etag:
        raise Refused(
            grpc.StatusCode.ABORTED, f"The etag {given} is not the current one of [{told.name}]."
        )


def _page(kept: Sequence[Any], request: Any) -> tuple[Sequence[Any], str]:
    """A page and the next one's token, which says how many entries are behind it.

    So entries that come in front while somebody pages are not among what is left.
    """
    if request.filter:
        raise invalid("Filters are not known here.")
    if request.page_size < 0:
        raise invalid("The page size must not be negative.")
    behind = len(kept) - (_number(request.page_token) if request.page_token else len(kept))
    size = min(request.page_size or _PAGE, _PAGE)
    page = kept[behind : behind + size]
    left = len(kept) - behind - len(page)
    return page, base64.urlsafe_b64encode(str(left).encode()).decode() if left > 0 else ""


def _number(token: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(token))
    except (ValueError, binascii.Error):
        raise invalid("The page token is invalid.") from None
