"""What the errors of a storage account mean where it is asked who it is.

"Get Account Information" (https://learn.microsoft.com/rest/api/storageservices/get-account-information)
has no error codes of its own.
"""

from __future__ import annotations

from functools import partial

from airflow_multicloud.clouds.azure import errors
from airflow_multicloud.errors import StorageError

#: What the codes of a storage account mean.
TABLE = errors.STORAGE

#: :func:`airflow_multicloud.clouds.azure.errors.translated` for these requests.
translated = partial(errors.translated, table=TABLE, area=StorageError)
