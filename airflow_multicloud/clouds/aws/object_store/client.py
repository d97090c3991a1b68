"""One S3 connection for all threads: a boto3 client, and obstore (Rust) beside it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from botocore.config import Config

from airflow_multicloud.clouds.aws.object_store.addresses import store_name_of
from airflow_multicloud.clouds.aws.object_store.errors import translated
from airflow_multicloud.clouds.aws.object_store.pages import register_fast_listing
from airflow_multicloud.clouds.aws.object_store.stores import Stores
from airflow_multicloud.clouds.aws.object_store.terms import Owners, Terms, terms_of
from airflow_multicloud.clouds.aws.seams import accept_any_bucket_name, requester_pays_of
from airflow_multicloud.clouds.aws.session import Session, SessionHook

if TYPE_CHECKING:
    from obstore.store import S3Store

# No SHA-256 signature over bodies sent by TLS: every body has its checksum.
_UNSIGNED_BODIES = {"payload_signing_enabled": False}


class S3Connection:
    """A client and a store per bucket; everything here may be called from any thread.

    :param session: of the connection.
    :param terms: what goes with every request.
    """

    def __init__(self, session: Session, terms: Terms) -> None:
        self._session = session
        self._terms = terms
        self.client: Any = self.client_for()
        owners = None
        if terms.expected_owner is None:
            owners = Owners(self.client)
            self.client.meta.events.register("provide-client-params.s3", owners.before)
        register_fast_listing(self.client)
        self._stores = Stores(session, self.client, terms, owners)
        #: Buckets whose ETags turned out not to be MD5 digests (default encryption by KMS).
        self.opaque_etags: set[str] = set()

    @property
    def region(self) -> str:
        """The region requests go to unless the bucket lies elsewhere."""
        return str(self.client.meta.region_name)

    def client_for(
        self, *, region: str | None = None, config: Config | None = None, terms: Terms | None = None
    ) -> Any:
        """A client with the connection's settings, for another region, configuration or terms."""
        own = Config(s3={**_UNSIGNED_BODIES, **(self._session.config.s3 or {})})
        settings = own.merge(config) if config else own
        client: Any = self._session.new_client("s3", region=region, config=settings)
        client.meta.events.register("provide-client-params.s3", (terms or self._terms).add_to)
        accept_any_bucket_name(client)
        return client

    def meet(self, bucket: str, region: str | None) -> None:
        """What a HEAD request of this thread has told spares another one; see :class:`Stores`."""
        self._stores.meet(bucket, region)

    def store(self, bucket: str) -> S3Store | None:
        """The bucket for obstore, or ``None`` where only boto3 can reach it."""
        return self._stores.of(bucket)


class ObjectStoreBase(SessionHook, S3Hook):
    """What the verbs stand on: the official S3 hook and one opened connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._terms = terms_of(
            self.aws_conn_id,
            self._session.connection.extra_config,
            requester_pays=requester_pays_of(self),
        )

    @property
    def store_name(self) -> str:
        """Where another store answers than AWS's, or AWS's of another partition."""
        return self._session.once("store name", lambda: store_name_of(self._session))

    @cached_property
    def _s3(self) -> S3Connection:
        """The clients, made once for all hooks of the session."""
        with translated(f"opening connection {self.aws_conn_id!r}"):
            return self._session.once(
                ("s3", self._terms), lambda: S3Connection(self._session, self._terms)
            )
