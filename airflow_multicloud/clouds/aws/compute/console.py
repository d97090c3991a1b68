"""What an instance wrote to its serial console."""

from __future__ import annotations

from airflow_multicloud.clouds.aws.compute.client import ComputeBase
from airflow_multicloud.clouds.aws.compute.errors import translated
from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.ports.compute import InstanceRef


class Consoles(ComputeBase):
    """The port's ``read_console``."""

    def read_console(self, ref: InstanceRef) -> str:
        """The newest part of it; see the port.

        What is there now on instances of the Nitro system; else what EC2 kept at the last change
        of its state ("GetConsoleOutput" in the Amazon EC2 API reference).
        """
        try:
            return self._console(ref, latest=True)
        except DeploymentError as err:
            if err.kind is not ErrorKind.UNSUPPORTED:
                raise
        return self._console(ref, latest=False)

    def _console(self, ref: InstanceRef, *, latest: bool) -> str:
        wanted = {"Latest": True} if latest else {}
        with translated(f"reading the console of {ref.id} in {ref.region}"):
            client = self._client_of("ec2", ref.region)
            # boto3 decodes it.
            return str(client.get_console_output(InstanceId=ref.id, **wanted).get("Output") or "")
