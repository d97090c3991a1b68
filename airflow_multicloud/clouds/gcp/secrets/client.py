"""What every verb of Secret Manager stands on: Google's client, opened once, and its requests."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Final, TypeVar

from airflow.providers.google.cloud.hooks.secret_manager import GoogleCloudSecretManagerHook
from google.api_core import exceptions as api
from google.cloud.secretmanager_v1.services.secret_manager_service import (
    SecretManagerServiceClient,
)
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import (
    SecretManagerServiceGrpcTransport,
)
from google.cloud.secretmanager_v1.types import resources, service
from google.protobuf.field_mask_pb2 import FieldMask

from airflow_multicloud.clouds.gcp import tries
from airflow_multicloud.clouds.gcp.errors import credentials_read
from airflow_multicloud.clouds.gcp.grpc_channels import open_channel
from airflow_multicloud.clouds.gcp.secrets.errors import translated
from airflow_multicloud.clouds.gcp.secrets.naming import NAMES
from airflow_multicloud.clouds.gcp.session import SessionHook
from airflow_multicloud.clouds.gcp.tries import may_pass

T = TypeVar("T")

_HOST: Final = "secretmanager.googleapis.com"

#: Seconds that one request may take.
_REQUEST_S: Final = 60.0
#: Entries of one page; up to 25,000 may be asked for.
_PAGE: Final = 500


def _is_worth_it(err: BaseException) -> bool:
    """Whether work that reads everything afresh may succeed: also after a lost race.

    https://google.aip.dev/154: ``ABORTED`` for an etag that is not the current one, before that
    ``FAILED_PRECONDITION``.
    """
    if isinstance(err, api.FailedPrecondition):
        return "etag" in str(err.message).lower()
    return isinstance(err, api.Aborted) or may_pass(err)


#: How work is done again.
RETRY: Final = tries.RETRY.with_predicate(_is_worth_it)


class SecretsBase(SessionHook, GoogleCloudSecretManagerHook):
    """What every verb stands on.

    The connection is read by the constructor; calls may come from any thread.
    """

    @cached_property
    def client(self) -> SecretManagerServiceClient:
        """The official hook's client: this one, unless the hook was made for a region."""
        return super().client if self.location else self._google

    @property
    def _google(self) -> SecretManagerServiceClient:
        """Google's client, opened once."""
        with (
            translated(f"opening connection {self.gcp_conn_id!r}"),
            credentials_read(self.gcp_conn_id),
        ):
            return self._session.client(
                "secretmanager",
                lambda: SecretManagerServiceClient(
                    transport=SecretManagerServiceGrpcTransport(
                        channel=open_channel(self._session, "secretmanager", _HOST)
                    )
                ),
            )

    def _done(self, doing: str, work: Callable[[], T]) -> T:
        """Do work of one or several requests; from the beginning again, while that may help.

        When an answer was lost, the work finds what it has done before.

        :param doing: for messages.
        :raises SecretsError: with the cause's kind.
        """
        retry = RETRY if self._session.retries else None
        with translated(doing):
            return work() if retry is None else retry(work)()

    def _path(self, name: str) -> str:
        """The resource name of a secret.

        :raises SecretsError: ``invalid_argument`` for a name that Google can't take.
        """
        return f"projects/{self._session.needed_project}/secrets/{NAMES.encode(name)}"

    # The requests, each sent once, with Google's own exceptions.

    def _get(self, path: str) -> resources.Secret:
        request = service.GetSecretRequest(name=path)
        return self._google.get_secret(request, retry=None, timeout=_REQUEST_S)

    def _get_version(self, path: str, version: str) -> resources.SecretVersion:
        request = service.GetSecretVersionRequest(name=f"{path}/versions/{version}")
        return self._google.get_secret_version(request, retry=None, timeout=_REQUEST_S)

    def _newest(self, path: str) -> resources.SecretVersion | None:
        """The newest version, in whatever state: "an alias to the most recently created"."""
        try:
            return self._get_version(path, "latest")
        except api.NotFound:
            return None

    def _newest_for_certain(self, path: str) -> resources.SecretVersion | None:
        """The newest version, also one that was added a moment ago.

        "Adding a secret version and then immediately accessing that secret version by version
        number is a strongly consistent operation. Other operations within Secret Manager are
        eventually consistent": https://cloud.google.com/secret-manager/docs/add-secret-version.
        """
        newest = self._newest(path)
        while True:
            number = 0 if newest is None else int(newest.name.rpartition("/")[2])
            if (later := self._numbered(path, number + 1)) is None:
                return newest
            newest = later

    def _numbered(self, path: str, number: int) -> resources.SecretVersion | None:
        """A version, also one that lists do not show yet; ``None`` when there is none."""
        states = resources.SecretVersion.State
        try:
            self._access(path, str(number))
            state = states.ENABLED
        except api.FailedPrecondition:
            state = states.DISABLED
        except api.NotFound:
            return None
        try:
            return self._get_version(path, str(number))
        except api.NotFound:
            return resources.SecretVersion(name=f"{path}/versions/{number}", state=state)

    def _access(self, path: str, version: str) -> service.AccessSecretVersionResponse:
        request = service.AccessSecretVersionRequest(name=f"{path}/versions/{version}")
        return self._google.access_secret_version(request, retry=None, timeout=_REQUEST_S)

    def _page(self, parent: str, token: str, size: int = _PAGE) -> service.ListSecretsResponse:
        request = service.ListSecretsRequest(parent=parent, page_size=size, page_token=token)
        pager = self._google.list_secrets(request, retry=None, timeout=_REQUEST_S)
        # The first page, which was asked for: the pager would ask for the others by itself.
        return next(iter(pager.pages))

    def _page_of_versions(self, path: str, token: str) -> service.ListSecretVersionsResponse:
        request = service.ListSecretVersionsRequest(parent=path, page_size=_PAGE, page_token=token)
        pager = self._google.list_secret_versions(request, retry=None, timeout=_REQUEST_S)
        return next(iter(pager.pages))

    def _update(self, secret: resources.Secret, *fields: str) -> resources.Secret:
        """Change fields of a secret, on the condition that it is as it was read: by its etag."""
        request = service.UpdateSecretRequest(
            secret=secret, update_mask=FieldMask(paths=sorted(fields))
        )
        return self._google.update_secret(request, retry=None, timeout=_REQUEST_S)

    def _create(self, path: str, secret: resources.Secret) -> resources.Secret:
        parent, _, encoded = path.partition("/secrets/")
        request = service.CreateSecretRequest(parent=parent, secret_id=encoded, secret=secret)
        return self._google.create_secret(request, retry=None, timeout=_REQUEST_S)

    def _add(
        self, path: str, payload: resources.SecretPayload, *, timeout: float
    ) -> resources.SecretVersion:
        request = service.AddSecretVersionRequest(parent=path, payload=payload)
        return self._google.add_secret_version(request, retry=None, timeout=timeout)

    def _disable(self, path: str, number: int) -> resources.SecretVersion:
        request = service.DisableSecretVersionRequest(name=f"{path}/versions/{number}")
        return self._google.disable_secret_version(request, retry=None, timeout=_REQUEST_S)

    def _enable(self, path: str, number: int) -> resources.SecretVersion:
        request = service.EnableSecretVersionRequest(name=f"{path}/versions/{number}")
        return self._google.enable_secret_version(request, retry=None, timeout=_REQUEST_S)
