"""What Secret Manager takes: names, values and tags.

https://cloud.google.com/secret-manager/quotas, and the message ``Secret`` of
https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets.
"""

from __future__ import annotations

import re
from typing import Final

from airflow_multicloud.adapters.secret_names import SecretNames
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.errors import ErrorKind, SecretsError
from airflow_multicloud.ports.secrets import SecretRules

#: ``CreateSecretRequest.secret_id``.
NAMES: Final = SecretNames(
    cloud=NAME,
    allowed="[A-Za-z0-9_-]",
    mark="__",
    longest=255,
    source="https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets/create",
)

#: ``SecretPayload.data``: 64 KiB. A secret has 64 labels at most; beside them it may have
#: annotations, of which only the bytes are counted.
RULES: Final = SecretRules(value_bytes=65_536, tag_count=64)

#: What names a version in a path: its number, or an alias (``Secret.versionAliases``).
_VERSION: Final = re.compile(r"[0-9]{1,18}|[A-Za-z][A-Za-z0-9_-]{0,62}")


def check_value(name: str, value: bytes) -> None:
    """Refuse what Secret Manager would.

    :raises SecretsError: ``invalid_argument`` for an empty value, and one that is too large.
    """
    if not 0 < len(value) <= RULES.value_bytes:
        raise refused(
            f"value of secret {name!r}: {len(value)} bytes given, from 1 to {RULES.value_bytes} "
            "allowed in Secret Manager"
        )


def check_version(name: str, version: str) -> str:
    """A version's id or alias, as it may stand in a path.

    :raises SecretsError: ``not_found`` for what can be neither.
    """
    if not _VERSION.fullmatch(version):
        raise SecretsError(
            f"version: secret {name!r} has none that is called {version!r}; expected a number, "
            "'latest' or an alias",
            kind=ErrorKind.NOT_FOUND,
            cloud=NAME,
        )
    return version


def refused(text: str) -> SecretsError:
    """The error for an argument that the cloud can't take."""
    return SecretsError(text, kind=ErrorKind.INVALID_ARGUMENT, cloud=NAME)
