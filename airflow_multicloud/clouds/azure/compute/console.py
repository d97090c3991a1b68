"""The serial console, which boot diagnostics keep in a blob that Azure manages.

"Azure boot diagnostics" (https://learn.microsoft.com/azure/virtual-machines/boot-diagnostics).
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from azure.core import PipelineClient
from azure.core.rest import HttpRequest, HttpResponse

from airflow_multicloud.adapters.answers import not_an_answer
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.compute.client import ComputeBase
from airflow_multicloud.clouds.azure.compute.errors import if_there, translated
from airflow_multicloud.clouds.azure.compute.fields import missing
from airflow_multicloud.clouds.azure.resending import ReadableWaits
from airflow_multicloud.errors import DeploymentError

if TYPE_CHECKING:
    from airflow_multicloud.ports.compute import InstanceRef

_NEWEST = 64 * 1024
_LINK_MINUTES = 5


class Console(ComputeBase):
    """The port's ``ConsoleOutput``."""

    def read_console(self, ref: InstanceRef) -> str:
        """The newest 64 KiB of it, read by a link that is signed for five minutes."""
        place = self._place(ref)
        doing = f"reading the console of {place.id}"
        found = if_there(
            doing,
            lambda: self._compute.virtual_machines.retrieve_boot_diagnostics_data(
                place.group, place.name, sas_uri_expiration_time_in_minutes=_LINK_MINUTES
            ),
        )
        if found is None:
            raise missing(place)
        link = found.serial_console_log_blob_uri
        return self._read_link(link, doing) if link else ""

    def _read_link(self, link: str, doing: str) -> str:
        """The end of a blob: it has to be read from its beginning to get there.

        Not by the clients of this session, which would show the blob's host their token.
        """
        parts = urlsplit(link)
        if parts.scheme != "https":
            raise not_an_answer(doing, NAME, "the link is not https", area=DeploymentError)
        client: PipelineClient[HttpRequest, HttpResponse] = PipelineClient(
            f"https://{parts.netloc}",
            policies=[ReadableWaits()],
            connection_verify=self._manager.verify,
        )
        with translated(doing), client:
            answer = client.send_request(HttpRequest("GET", link), stream=True)
            if answer.status_code == HTTPStatus.NOT_FOUND:
                return ""  # the machine has written nothing yet
            answer.raise_for_status()
            newest = b""
            for piece in answer.iter_bytes():
                newest = (newest + piece)[-_NEWEST:]
        return newest.decode(errors="replace")
