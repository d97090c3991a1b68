"""What every verb of Compute Engine stands on: Google's clients, opened once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from airflow.providers.google.cloud.hooks.compute import ComputeEngineHook
from google.api_core import exceptions as api
from google.api_core.retry import Retry, if_exception_type
from google.auth.credentials import AnonymousCredentials
from google.cloud import compute_v1

from airflow_multicloud.adapters.plain_http import check_plain_http
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.compute.errors import translated
from airflow_multicloud.clouds.gcp.compute.fields import Place, boot_disk_of, is_ours
from airflow_multicloud.clouds.gcp.errors import credentials_read
from airflow_multicloud.clouds.gcp.session import SessionHook
from airflow_multicloud.errors import DeploymentError, ErrorKind

if TYPE_CHECKING:
    from google.api_core.client_options import ClientOptions

C = TypeVar("C")

#: Seconds that one request may take.
REQUEST_S: Final = 60.0
#: Reads are repeated for so long, not for the ten minutes that the client library has by default:
#: a cloud that is down must be told of in time. What changes something is never repeated here.
_READS: Final = Retry(
    predicate=if_exception_type(api.ServiceUnavailable, api.DeadlineExceeded, api.BadGateway),
    initial=0.2,
    maximum=5.0,
    timeout=20.0,
)


class ComputeBase(SessionHook, ComputeEngineHook):
    """What every verb stands on.

    The connection is read by the constructor; calls may come from any thread.
    """

    # Of any Google connection.
    default_conn_name = SessionHook.default_conn_name

    def get_client_options(self, api_endpoint_override: str | None = None) -> ClientOptions:
        """The official hook's options, with the connection's ``compute.endpoint``, if any."""
        endpoint = api_endpoint_override or self._session.endpoint_of("compute")
        if endpoint and not isinstance(self._session.credentials, AnonymousCredentials):
            check_plain_http(endpoint, "Google's access token", cloud=NAME)
        return super().get_client_options(endpoint)

    @property
    def _project(self) -> str:
        """The connection's project.

        :raises CredentialsError: when nothing names one.
        """
        return self._session.needed_project

    @property
    def _reads(self) -> Retry | None:
        """How reads are repeated: not at all where the extra ``num_retries`` is 0."""
        return _READS if self._session.retries else None

    def _google(self, kind: type[C]) -> C:
        """A client of Google's library, opened once."""
        # Every one of them takes these; they have no common base.
        make: Any = kind
        with (
            translated(f"opening connection {self.gcp_conn_id!r}"),
            credentials_read(self.gcp_conn_id),
        ):
            found: C = self._session.client(
                f"compute's {kind.__name__}",
                lambda: make(
                    credentials=self._session.credentials,
                    transport="rest",
                    client_options=self.get_client_options(),
                ),
            )
            return found

    @property
    def _instances(self) -> compute_v1.InstancesClient:
        return self._google(compute_v1.InstancesClient)

    @property
    def _disks(self) -> compute_v1.DisksClient:
        return self._google(compute_v1.DisksClient)

    @property
    def _operations(self) -> compute_v1.ZoneOperationsClient:
        return self._google(compute_v1.ZoneOperationsClient)

    def _instance(self, place: Place) -> compute_v1.Instance:
        """The instance.

        :raises DeploymentError: ``not_found`` when there is none.
        """
        with translated(f"asking for {place.id}"):
            return self._instances.get(
                compute_v1.GetInstanceRequest(
                    project=place.project, zone=place.zone, instance=place.name
                ),
                retry=self._reads,
                timeout=REQUEST_S,
            )

    def _found_instance(self, place: Place) -> compute_v1.Instance | None:
        try:
            return self._instance(place)
        except DeploymentError as err:
            if err.kind is not ErrorKind.NOT_FOUND:
                raise
        return None

    def _found_disk(self, place: Place) -> compute_v1.Disk | None:
        """The disk of this name, if there is one."""
        request = compute_v1.GetDiskRequest(project=place.project, zone=place.zone, disk=place.name)
        try:
            with translated(f"asking for the disk {place.name}"):
                return self._disks.get(request, retry=self._reads, timeout=REQUEST_S)
        except DeploymentError as err:
            if err.kind is not ErrorKind.NOT_FOUND:
                raise
        return None

    def _disk_left(self, place: Place) -> compute_v1.Disk | None:
        """The disk that was made for an instance which is not there, if it is."""
        disk = self._found_disk(place)
        return disk if disk is not None and is_ours(disk) else None

    def _image_of(self, instance: compute_v1.Instance) -> str:
        """What its boot disk was made from: only the disk tells."""
        place = boot_disk_of(instance)
        disk = None if place is None else self._found_disk(place)
        return "" if disk is None else disk.source_image
