"""What a vault takes: names, values and tags.

https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates and
https://learn.microsoft.com/azure/key-vault/secrets/about-secrets.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from airflow_multicloud.adapters.secret_names import SecretNames
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.secrets.errors import failure
from airflow_multicloud.errors import ErrorKind, SecretsError
from airflow_multicloud.labels import LabelRules
from airflow_multicloud.ports.secrets import SecretRules

#: "object-name … 0-9, a-z, A-Z, and -", 1 to 127 characters, compared without regard to case.
NAMES: Final = SecretNames(
    cloud=NAME,
    allowed="[0-9A-Za-z-]",
    mark="--",
    longest=127,
    source="https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates",
    folds_case=True,
)

#: "Secrets … max size of 25k bytes each", and 15 tags, one of which this package needs for the
#: token of a write. Versions stay until the secret is purged. Other bytes are written as base64:
#: four characters for three bytes.
RULES: Final = SecretRules(value_bytes=25_600, tag_count=14, binary_bytes=25_600 // 4 * 3)

#: Values of tags, whose case counts.
LABELS: Final = LabelRules(illegal=r"[\x00-\x1f\x7f]", longest=256)

#: "Tag name can have up to 256 characters; tag value can have up to 256 characters."
_TAG: Final = 256
VERSION: Final = re.compile(r"[0-9a-f]{32}")


def check_tags(tags: Mapping[str, str]) -> None:
    """Refuse tags that a vault would not take.

    :raises SecretsError: ``invalid_argument``.
    """
    if len(tags) > RULES.tag_count:
        raise refused(
            f"tags: {len(tags)} given, at most {RULES.tag_count} allowed beside the one that this "
            "package needs"
        )
    for key, value in tags.items():
        if not 0 < len(key) <= _TAG or len(value) > _TAG:
            raise refused(
                f"tags: {key[:40]!r} given with {len(value)} characters; expected a name of 1 to "
                f"{_TAG} characters, and a value of at most {_TAG}"
            )


def check_version(name: str, version: str) -> str:
    """A version's id, as it may stand in a path.

    :raises SecretsError: ``not_found`` for what can't be one: there are no labels of versions.
    """
    if not VERSION.fullmatch(version):
        raise failure(
            f"version: secret {name!r} has none that is called {version!r}; expected 32 "
            "hexadecimal digits",
            ErrorKind.NOT_FOUND,
        )
    return version


def refused(text: str) -> SecretsError:
    """The error for an argument that the cloud can't take."""
    return failure(text, ErrorKind.INVALID_ARGUMENT)
