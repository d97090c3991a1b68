"""What an instance wrote to its serial console.

https://cloud.google.com/compute/docs/troubleshooting/viewing-serial-port-output: the newest 1 MiB.
"""

from __future__ import annotations

from google.cloud import compute_v1

from airflow_multicloud.clouds.gcp.compute.client import REQUEST_S, ComputeBase
from airflow_multicloud.clouds.gcp.compute.errors import translated
from airflow_multicloud.clouds.gcp.compute.fields import place_of
from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.ports.compute import InstanceRef


class GCPConsole(ComputeBase):
    """The port's ``read_console``."""

    def read_console(self, ref: InstanceRef) -> str:
        """What an instance wrote to its console; see the port."""
        place = place_of(ref.id)
        request = compute_v1.GetSerialPortOutputInstanceRequest(
            project=place.project, zone=place.zone, instance=place.name
        )
        try:
            with translated(f"reading the console of {place.id}"):
                return self._instances.get_serial_port_output(
                    request, retry=self._reads, timeout=REQUEST_S
                ).contents
        except DeploymentError as err:
            if err.kind is not ErrorKind.BUSY:  # it has none while it is not ready
                raise
        return ""
