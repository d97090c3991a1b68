"""What the mix-ins of the Azure object store share: the account behind the connection."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from threading import Lock
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from airflow.providers.microsoft.azure.hooks.wasb import WasbHook

from airflow_multicloud.adapters.answers import Tokens, malformed, not_an_answer
from airflow_multicloud.adapters.secret_text import check_control_characters
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.object_store.client import BlobAccount
from airflow_multicloud.clouds.azure.object_store.errors import translated
from airflow_multicloud.clouds.azure.object_store.listing import described_object
from airflow_multicloud.errors import CredentialsError, ErrorKind
from airflow_multicloud.ports.object_store import Digests, WriteOptions

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from airflow_multicloud.ports.object_store import ObjectMeta, ObjectRef

NO_OPTIONS = WriteOptions()
NO_DIGESTS = Digests()


class AccountHook(WasbHook):
    """Azure's own hook with its ``BlobServiceClient`` opened once, on the first call.

    Airflow's connection is read then, on the calling thread; after that any thread may call.
    """

    def __init__(
        self, wasb_conn_id: str = WasbHook.default_conn_name, public_read: bool = False
    ) -> None:
        super().__init__(wasb_conn_id=wasb_conn_id, public_read=public_read)
        self._account_lock = Lock()
        self._account: BlobAccount | None = None
        # Read the connection now, on the thread that may ask Airflow; no request is made.
        _ = self.account

    @property
    def account(self) -> BlobAccount:
        """The storage account, opened on first use.

        :raises CredentialsError: kind ``invalid_argument`` when the connection can't be used.
        """
        with self._account_lock:
            if self._account is None:
                self._account = self._open_account()
            return self._account

    def _open_account(self) -> BlobAccount:
        connection = self.get_connection(self.conn_id)
        conn_type = connection.conn_type
        if conn_type != self.conn_type:
            raise CredentialsError(
                f"connection {self.conn_id!r} has type {conn_type!r}; Azure Blob Storage needs "
                f"type {self.conn_type!r}",
                kind=ErrorKind.INVALID_ARGUMENT,
                cloud=NAME,
            )
        check_control_characters(
            self.conn_id,
            {
                "login": connection.login,
                "password": connection.password,
                "host": connection.host,
                **connection.extra_dejson,
            },
            cloud=NAME,
        )
        doing = f"open connection {self.conn_id!r}"
        try:
            with translated(doing):
                account = BlobAccount(self.get_conn())
        except ValueError as err:
            # The SDK says what is wrong with a connection string or URL, then may quote it.
            raise CredentialsError(
                f"{doing}: {str(err).partition(':')[0]}",
                kind=ErrorKind.INVALID_ARGUMENT,
                cloud=NAME,
            ) from None
        # Airflow's hook makes a URL of the login when the host names no account, also of none:
        # https://None.blob.core.windows.net, somebody's account that would get our signature.
        if not connection.login and account.service.account_name == str(None):
            raise CredentialsError(
                f"{doing}: nothing names the storage account; expected host "
                "https://ACCOUNT.blob.core.windows.net, or a connection_string in the extra",
                kind=ErrorKind.INVALID_ARGUMENT,
                cloud=NAME,
            )
        return account

    def _describe(self, ref: ObjectRef, doing: str) -> ObjectMeta:
        account = self.account
        with translated(doing):
            params = {"versionid": ref.version} if ref.version else {}
            blob = account.service.get_blob_client(ref.bucket, ref.key)
            response = account.send("HEAD", blob.url, params=params)
        return described_object(ref, response.headers, doing)

    def _listed(self, bucket: str, prefix: str, include: str) -> Iterator[Element]:
        """The blobs of "List Blobs"; the account is opened before the first is asked for.

        Each element is good until the next one is asked for.
        """
        account = self.account
        doing = f"list {bucket}/{prefix}"

        def blobs() -> Iterator[Element]:
            params = {"restype": "container", "comp": "list", "include": include}
            if prefix:
                params["prefix"] = prefix
            marker: str | None = ""
            tokens = Tokens(doing, NAME)
            while marker is not None:
                at = {"marker": marker} if marker else {}
                with translated(doing):
                    url = account.service.get_container_client(bucket).url
                    page = account.get_undecoded(url, {**params, **at})
                marker, whole = None, False
                for element in _elements(page, doing):
                    # Metadata may have these names too, but no name in it and no place after it.
                    if element.tag == "Blob" and element.find("Name") is not None:
                        marker = None
                        yield element
                        element.clear()
                    elif element.tag == "NextMarker":
                        marker = element.text or None
                    elif element.tag == "EnumerationResults":
                        whole = True
                if not whole:
                    raise not_an_answer(doing, NAME, "it is no EnumerationResults")
                if marker is not None:
                    tokens.note(marker)

        return blobs()


def _elements(page: bytes, doing: str) -> Iterator[Element]:
    """The elements of a page as they close; in pieces, since a whole tree costs five times more."""
    try:
        # Azure's own answer to a signed request, which the SDK would parse with the same parser.
        for _, element in ET.iterparse(BytesIO(page)):  # noqa: S314
            yield element
    except ET.ParseError as err:
        raise malformed(doing, NAME, err) from err


def name_of(ref: ObjectRef) -> str:
    """An object, for messages."""
    version = f"@{ref.version}" if ref.version else ""
    return f"{ref.bucket}/{ref.key}{version}"
