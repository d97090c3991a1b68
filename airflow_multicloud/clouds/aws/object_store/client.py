"""One S3 connection for all threads: a boto3 client, and obstore (Rust) beside it.

Both work from the hook's own session, so every form of credentials works and is refreshed
in both. botocore decides where a bucket lies: the URL and region that its HEAD request
ended up at (endpoint rules, path or virtual-hosted style, redirects to another region) are
what obstore gets.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import obstore.exceptions as obs
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.handlers import validate_bucket_name
from obstore.auth.boto3 import Boto3CredentialProvider
from obstore.store import S3Store

from airflow_multicloud.adapters import obstore as _obstore
from airflow_multicloud.clouds.aws.errors import CLOUD, hint_of, kind_of_code, translated
from airflow_multicloud.clouds.aws.object_store.listing import register_fast_listing
from airflow_multicloud.clouds.aws.object_store.terms import Owners, Terms
from airflow_multicloud.errors import CredentialsError, ErrorKind, StorageError

if TYPE_CHECKING:
    from boto3.session import Session
    from obstore.store import ClientConfig, S3Config

    from airflow_multicloud.ports.object_store import WriteCondition

# botocore refreshes credentials that have less than ten minutes left before it hands them
# out (mandatory refresh), so a copy of them is good for as long.
_CREDENTIALS_KEPT = timedelta(minutes=10)
# obstore's `timeout` covers the whole body, whatever its size; the read timeout is what
# notices a connection that hangs.
_NO_OVERALL_TIMEOUT = timedelta(days=7)
_POOL = 64
_STANDARD_ATTEMPTS = 3
_CODE = re.compile(r"<Code>([^<]+)</Code>")
_MESSAGE = re.compile(r"<Message>([^<]+)</Message>")


def tuned(config: Config, session: Session) -> Config:
    """The user's botocore configuration over this package's defaults.

    Those are connections enough for many threads, botocore's ``standard`` retry mode, and no
    SHA-256 signature over bodies sent by TLS: every body has its checksum.
    """
    defaults: dict[str, Any] = {"max_pool_connections": _POOL}
    if _configured(session, "retry_mode") in (None, "legacy"):
        defaults["retries"] = {"mode": "standard"}
    s3 = {"payload_signing_enabled": False, **(config.s3 or {})}
    merged: Config = Config(**defaults).merge(config).merge(Config(s3=s3))
    return merged


def _configured(session: Session, name: str) -> Any:
    # boto3 has no public way to what environment and profile configure.
    return session._session.get_config_variable(name)  # noqa: SLF001 (see above)


class S3Connection:
    """A client and a store per bucket; everything here may be called from any thread.

    :param endpoint_url: of the connection, or ``None`` for AWS's own.
    :param verify: ``False``, a CA bundle's path, or ``None`` for the session's default.
    """

    def __init__(
        self,
        session: Session,
        *,
        endpoint_url: str | None,
        config: Config,
        verify: bool | str | None,
        terms: Terms = Terms(),
    ) -> None:
        self._session = session
        self._endpoint_url = endpoint_url
        self._config = tuned(config, session)
        self._verify = verify
        self._terms = terms
        self.client: Any = self.client_for()
        self._here = threading.local()
        self._owners = Owners(self.client)
        if terms.expected_owner is None:
            self.client.meta.events.register("provide-client-params.s3", self._owners.before)
        # Before the signature rather than before sending: only newer versions of botocore (1.43.68
        # on) tell there for which region the request was signed.
        self.client.meta.events.register_last("before-sign.s3.HeadBucket", self._note_address)
        register_fast_listing(self.client)
        self._lock = threading.Lock()
        self._stores: dict[str, S3Store | None] = {}
        self._credentials = session.get_credentials()
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
        client: Any = self._session.client(
            "s3",
            region_name=region,
            endpoint_url=self._endpoint_url,
            config=self._config.merge(config) if config else self._config,
            verify=self._verify,
        )
        client.meta.events.register("provide-client-params.s3", (terms or self._terms).add_to)
        # Ceph's "tenant:bucket" is no name by AWS's rules, which the service itself checks too.
        client.meta.events.unregister("before-parameter-build.s3", validate_bucket_name)
        return client

    def store(self, bucket: str) -> S3Store | None:
        """The bucket for obstore, or ``None`` where only boto3 can reach it.

        Costs one HEAD request per bucket and connection. Access points (ARNs) and directory
        buckets are signed in ways obstore does not know, and ``tenant:bucket`` is no path to it.
        """
        if ":" in bucket or bucket.endswith("--x-s3"):
            return None
        with self._lock:
            if bucket not in self._stores:
                if _obstore.only_to(self.client.meta.endpoint_url) is None:
                    self._stores[bucket] = None
                elif (place := self._find(bucket)) is not None:
                    self._stores[bucket] = self._open(bucket, *place)
            return self._stores.get(bucket)

    def _note_address(self, request: Any, **_: object) -> None:
        region = request.context.get("signing", {}).get("region")
        self._here.address = (request.url, region)

    def _find(self, bucket: str) -> tuple[str, str] | None:
        """The URL and the region where the bucket lies; ``None`` when nobody says so today."""
        found: str | None = None
        with translated(f"finding bucket {bucket!r}"):
            try:
                found = self.client.head_bucket(Bucket=bucket).get("BucketRegion")
            except ClientError as error:
                # Who may not look may still read or write; for anything else boto3 makes the
                # real request, whose error is the one to report.
                if error.response["Error"].get("Code") != "403":
                    return None
        if self._terms.expected_owner is None:
            self._owners.look(bucket)
        url, signed_for = self._here.address
        region = signed_for or self.region
        if self._endpoint_url is None and found:
            region = found
        return url.partition("?")[0].rstrip("/"), region

    def _open(self, bucket: str, base: str, region: str) -> S3Store | None:
        options = self._client_options(base)
        unsigned = self.client.meta.config.signature_version is UNSIGNED
        if options is None or (self._credentials is None and not unsigned):
            return None
        config: S3Config = {
            "bucket": bucket,
            "endpoint": base,
            "aws_endpoint_url_s3": base,
            # Not a statement about `base`: obstore then takes the endpoint as it is.
            "virtual_hosted_style_request": True,
            "region": region,
            "checksum_algorithm": "SHA256",
            "skip_signature": unsigned,
            "request_payer": self._terms.requester_pays,
            "s3_express": False,
            "unsigned_payload": False,
        }
        retries = self.client.meta.config.retries or {}
        attempts = int(retries.get("total_max_attempts", _STANDARD_ATTEMPTS))
        return S3Store(
            config=config,
            client_options=options,
            retry_config={"max_retries": attempts - 1},
            credential_provider=None
            if unsigned
            else Boto3CredentialProvider(self._session, ttl=_CREDENTIALS_KEPT),
        )

    def _client_options(self, url: str) -> ClientConfig | None:
        config = self.client.meta.config
        alone = _obstore.only_to(url)
        proxied = config.proxies_config or (config.proxies or {}).get(urlsplit(url).scheme)
        if config.client_cert or proxied or alone is None:
            return None
        options: ClientConfig = {
            **alone,
            "timeout": _NO_OVERALL_TIMEOUT,
            "connect_timeout": timedelta(seconds=config.connect_timeout),
            "read_timeout": timedelta(seconds=config.read_timeout),
            "user_agent": config.user_agent or "airflow-multicloud",
            # It signs them, too.
            "default_headers": self._terms.headers,
        }
        verify = self._verify
        if verify is None:
            verify = _configured(self._session, "ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE")
        if verify is False:
            options["allow_invalid_certificates"] = True
        elif isinstance(verify, str):
            bundle = Path(verify)
            if not bundle.is_file():
                return None
            options["root_certificate"] = bundle.read_bytes()
        return options


@contextmanager
def translated_obstore(doing: str, condition: WriteCondition | None = None) -> Iterator[None]:
    """Turn obstore's exceptions into this package's, by S3's own error code where it is told."""
    with _obstore.translated(CLOUD, doing):
        try:
            yield
        except (obs.BaseError, FileNotFoundError) as error:
            text = str(error)
            found = _CODE.search(text)
            kind = kind_of_code(found[1], condition) if found else None
            if found is None or kind is None:
                raise
            area = CredentialsError if kind is ErrorKind.UNAUTHENTICATED else StorageError
            said = _MESSAGE.search(text)
            reason = f"{found[1]}: {said[1]}" if said else found[1]
            hint = hint_of(found[1])
            message = f"{doing}: {_obstore.redact(text)} ({_obstore.redact(reason)}){hint}"
            raise area(message, kind=kind, cloud=CLOUD, code=found[1]) from None
