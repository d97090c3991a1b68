"""What every verb of Cloud Storage stands on: its JSON interface, and obstore beside it."""

from __future__ import annotations

import os
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Final

from airflow.providers.google.cloud.hooks.gcs import GCSHook
from obstore.store import GCSStore

from airflow_multicloud.adapters import names
from airflow_multicloud.adapters import obstore as _obstore
from airflow_multicloud.adapters.names import store_name
from airflow_multicloud.clouds.gcp.errors import credentials_read
from airflow_multicloud.clouds.gcp.object_store.errors import translated
from airflow_multicloud.clouds.gcp.object_store.fields import generation_of, meta_of
from airflow_multicloud.clouds.gcp.object_store.json_api import JsonApi, object_path
from airflow_multicloud.clouds.gcp.rest import CONNECT_SECONDS, READ_SECONDS
from airflow_multicloud.clouds.gcp.session import SessionHook
from airflow_multicloud.ports.object_store import Digests, ObjectMeta, ObjectRef, WriteOptions

if TYPE_CHECKING:
    from google.api_core.client_options import ClientOptions
    from google.cloud.storage import Client
    from obstore.store import ClientConfig

NO_OPTIONS: Final = WriteOptions()
NO_DIGESTS: Final = Digests()

# obstore's ``timeout`` covers the whole body, however large; ``read_timeout`` is what ends a
# download that stands still.
_NO_OVERALL_TIMEOUT = timedelta(days=1)


# As the official client has it.
_EMULATOR = "STORAGE_EMULATOR_HOST"
# cloud.google.com/storage/docs/request-endpoints, and
# cloud.google.com/vpc/docs/configure-private-google-access.
_GOOGLE = ".googleapis.com"


class ObjectStoreBase(SessionHook, GCSHook):
    """What every verb stands on.

    The connection is read by the constructor and the first call; later calls may come from any
    thread.
    """

    def get_client_options(self, api_endpoint_override: str | None = None) -> ClientOptions:
        """The official hook's options, with the connection's ``gcs.endpoint`` if it has one."""
        return super().get_client_options(api_endpoint_override or self._session.endpoint_of("gcs"))

    @property
    def store_name(self) -> str:
        """Where another service answers than Google's: its buckets are not Google's.

        Google's own has several addresses (private and regional ones), and each bucket once.
        """
        endpoint = self._session.endpoint_of("gcs") or os.environ.get(_EMULATOR) or ""
        name = store_name(endpoint)
        host = name.partition(":")[0].partition("%")[0]
        return "" if host.endswith(_GOOGLE) else name

    @cached_property
    def _api(self) -> JsonApi:
        return self._session.client("storage's JSON interface", self._open_api)

    def _open_api(self) -> JsonApi:
        retries = self._session.retries
        # The official client knows the variable STORAGE_EMULATOR_HOST and other universes.
        endpoint = self._official_client().api_endpoint
        return JsonApi(endpoint, self._session.credentials, retries=retries)

    def _official_client(self) -> Client:
        # It refuses credentials of another universe.
        with credentials_read(self.gcp_conn_id):
            return self.get_conn()

    def _store(self, bucket: str) -> GCSStore | None:
        """The bucket for obstore; ``None`` behind a proxy, see :func:`_obstore.only_to`."""
        return self._session.client(f"bucket {bucket}", lambda: self._open_store(bucket))

    def _open_store(self, bucket: str) -> GCSStore | None:
        api = self._api
        alone = _obstore.only_to(api.endpoint)
        if alone is None:
            return None
        headers = {"accept-encoding": "gzip"}  # as stored, never decompressed
        if api.quota_project:
            headers["x-goog-user-project"] = api.quota_project
        client: ClientConfig = {
            **alone,
            "default_headers": headers,
            "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
            "read_timeout": timedelta(seconds=READ_SECONDS),
            "timeout": _NO_OVERALL_TIMEOUT,
        }
        return GCSStore(
            bucket,
            base_url=api.endpoint,
            client_options=client,
            retry_config={"max_retries": api.retries},
            # Anonymous ones too, which are not asked for: without a provider obstore fails on a
            # key file that the environment names and that is none.
            credential_provider=api.obstore_credential,
            skip_signature=api.anonymous,
        )

    def _stat(self, ref: ObjectRef, doing: str) -> ObjectMeta:
        with translated(doing):
            found = self._api.ask("GET", object_path(ref.bucket, ref.key), generation_of(ref))
        return meta_of(ref.bucket, found)


def name_of(ref: ObjectRef) -> str:
    """An object as messages name it."""
    return names.name_of(ref, "gs", version="generation")
