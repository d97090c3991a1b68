"""What both services stand on: the connection's directory."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from airflow.sdk import BaseHook

from airflow_multicloud.errors import CredentialsError, ErrorKind
from localdisk_multicloud import CONN_TYPES, NAME, URI_SCHEMES


class LocalDiskHook(BaseHook):
    """A connection of type ``local_disk``; its extra's ``root`` names an existing directory."""

    conn_name_attr = "local_disk_conn_id"
    default_conn_name = URI_SCHEMES["disk"]
    conn_type = CONN_TYPES[0]
    hook_name = "Local disk"

    def __init__(self, local_disk_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.local_disk_conn_id = local_disk_conn_id

    @cached_property
    def root(self) -> Path:
        """The directory; the connection is read once, on the first call.

        :raises CredentialsError: when the connection names no directory.
        """
        given = self.get_connection(self.local_disk_conn_id).extra_dejson.get("root")
        if not given or not Path(given).is_dir():
            raise CredentialsError(
                f"connection {self.local_disk_conn_id!r}: root is {given!r}, expected the path "
                'of a directory, as in {"root": "/srv/objects"}',
                kind=ErrorKind.INVALID_ARGUMENT,
                cloud=NAME,
            )
        return Path(given)
