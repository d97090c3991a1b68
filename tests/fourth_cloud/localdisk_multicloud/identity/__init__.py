"""Whom a local disk takes us for: the user of this process."""

from __future__ import annotations

import getpass
import os

from airflow_multicloud.errors import CredentialsError, ErrorKind
from airflow_multicloud.ports.identity import Identity, Principal
from localdisk_multicloud import NAME
from localdisk_multicloud.session import LocalDiskHook


class LocalDiskIdentity(LocalDiskHook):
    """The identity port."""

    def who_am_i(self) -> Principal:
        """The directory and the user.

        :raises CredentialsError: when the user may not read and write the directory.
        """
        if not os.access(self.root, os.R_OK | os.W_OK | os.X_OK):
            raise CredentialsError(
                f"connection {self.local_disk_conn_id!r}: {self.root} may not be read and written",
                kind=ErrorKind.PERMISSION_DENIED,
                cloud=NAME,
            )
        return Principal(account_id=str(self.root), principal=getpass.getuser())


Hook: type[Identity] = LocalDiskIdentity
