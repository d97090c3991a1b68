"""What errors mean where Azure is asked who the caller is, and what it may do.

"Get Account Information" (https://learn.microsoft.com/rest/api/storageservices/get-account-information)
and Microsoft.Authorization (https://learn.microsoft.com/rest/api/authorization/) have no error
codes of their own.
"""

from __future__ import annotations

from functools import partial

from airflow_multicloud.clouds.azure import errors
from airflow_multicloud.errors import CredentialsError, StorageError

#: What the codes of a storage account mean, and of Resource Manager.
TABLE = errors.STORAGE

#: :func:`airflow_multicloud.clouds.azure.errors.translated` for a storage account's requests.
translated = partial(errors.translated, table=TABLE, area=StorageError)
#: The same for those to Microsoft Entra and Azure Resource Manager.
manager_translated = partial(errors.translated, table=errors.BASE, area=CredentialsError)
