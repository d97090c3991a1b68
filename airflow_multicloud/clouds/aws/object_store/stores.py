"""Buckets for obstore (Rust), on the same credentials and at the same place as for boto3.

botocore decides where a bucket lies: the URL and region that its HEAD request ended up at (endpoint
rules, path or virtual-hosted style, redirects to another region) are what obstore gets.
"""

from __future__ import annotations

import os
import threading
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore import UNSIGNED
from botocore.exceptions import ClientError
from obstore.auth.boto3 import Boto3CredentialProvider
from obstore.store import S3Store

from airflow_multicloud.adapters import obstore as _obstore
from airflow_multicloud.adapters.locks import KeyLocks
from airflow_multicloud.clouds.aws.errors import code_of
from airflow_multicloud.clouds.aws.object_store.errors import translated
from airflow_multicloud.clouds.aws.seams import before_signing, signing_region_of

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Config

    from airflow_multicloud.clouds.aws.object_store.terms import Owners, Terms
    from airflow_multicloud.clouds.aws.session import Session

# botocore refreshes credentials that have less than ten minutes left before it hands them
# out (mandatory refresh), so a copy of them is good for as long.
_CREDENTIALS_KEPT = timedelta(minutes=10)
# obstore's `timeout` covers the whole body, whatever its size; the read timeout is what
# notices a connection that hangs.
_NO_OVERALL_TIMEOUT = timedelta(days=7)
_STANDARD_ATTEMPTS = 3


class Stores:
    """A store per bucket, each opened once.

    :param session: of the connection.
    :param client: S3's, which finds the buckets.
    :param terms: what goes with every request.
    :param owners: are looked at before a bucket is opened; ``None`` where the terms name one.
    """

    def __init__(self, session: Session, client: Any, terms: Terms, owners: Owners | None) -> None:
        self._session = session
        self._client = client
        self._terms = terms
        self._owners = owners
        self._credentials = session.credentials
        self._here = threading.local()
        before_signing(client, "HeadBucket", self._note_address)
        self._locks = KeyLocks()
        self._places: dict[str, tuple[str, str]] = {}
        self._stores: dict[str, S3Store | None] = {}

    def of(self, bucket: str) -> S3Store | None:
        """The bucket's store, or ``None`` where only boto3 can reach it.

        Costs one HEAD request per bucket and session, unless :meth:`meet` had one. Access points
        (ARNs) and directory buckets are signed in ways obstore does not know, and ``tenant:bucket``
        is no path to it.
        """
        if ":" in bucket or bucket.endswith("--x-s3"):
            return None
        with self._locks.of(bucket):
            if bucket not in self._stores:
                if _obstore.only_to(self._client.meta.endpoint_url) is None:
                    self._stores[bucket] = None
                elif (place := self._places.get(bucket) or self._find(bucket)) is not None:
                    if self._owners is not None:
                        self._owners.look(bucket)
                    self._stores[bucket] = self._open(bucket, *place)
            return self._stores.get(bucket)

    def meet(self, bucket: str, region: str | None) -> None:
        """Keep where a bucket lies, and look whose it is; after a HEAD request, on its thread.

        :param region: as that was answered.
        """
        self._places[bucket] = self._place(region)
        if self._owners is not None:
            self._owners.look(bucket)

    def _note_address(self, request: Any, **_: object) -> None:
        self._here.address = (request.url, signing_region_of(request))

    def _find(self, bucket: str) -> tuple[str, str] | None:
        """The URL and the region where the bucket lies; ``None`` when nobody says so today."""
        found: str | None = None
        with translated(f"finding bucket {bucket!r}"):
            try:
                found = self._client.head_bucket(Bucket=bucket).get("BucketRegion")
            except ClientError as error:
                # Who may not look may still read or write; for anything else boto3 makes the
                # real request, whose error is the one to report.
                if code_of(error) != "403":
                    return None
        return self._place(found)

    def _place(self, found: str | None) -> tuple[str, str]:
        url, signed_for = self._here.address
        region = signed_for or str(self._client.meta.region_name)
        if self._session.endpoint_url("s3") is None and found:
            region = found
        return url.partition("?")[0].rstrip("/"), region

    def _open(self, bucket: str, base: str, region: str) -> S3Store | None:
        options = self._client_options(base)
        unsigned = self._client.meta.config.signature_version is UNSIGNED
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
        retries = self._client.meta.config.retries or {}
        attempts = int(retries.get("total_max_attempts", _STANDARD_ATTEMPTS))
        return S3Store(
            config=config,
            client_options=options,
            retry_config={"max_retries": attempts - 1},
            credential_provider=None
            if unsigned
            else Boto3CredentialProvider(self._session.boto3_session, ttl=_CREDENTIALS_KEPT),
        )

    def _client_options(self, url: str) -> ClientConfig | None:
        config = self._client.meta.config
        alone = _obstore.only_to(url)
        proxied = config.proxies_config or (config.proxies or {}).get(urlsplit(url).scheme)
        if config.client_cert or proxied or alone is None:
            return None
        options: ClientConfig = {
            **alone,
            "timeout": _NO_OVERALL_TIMEOUT,
            "connect_timeout": _seconds(config.connect_timeout),
            "read_timeout": _seconds(config.read_timeout),
            "user_agent": config.user_agent or "airflow-multicloud",
            # It signs them, too.
            "default_headers": self._terms.headers,
        }
        verify = self._session.verify
        if verify is None:
            verify = self._session.configured("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE")
        if verify is False:
            options["allow_invalid_certificates"] = True
        elif isinstance(verify, str):
            bundle = Path(verify)
            if not bundle.is_file():
                return None
            options["root_certificate"] = bundle.read_bytes()
        return options


def _seconds(limit: float | None) -> timedelta:
    """A limit of botocore's, where ``None`` is none."""
    return _NO_OVERALL_TIMEOUT if limit is None else timedelta(seconds=limit)
