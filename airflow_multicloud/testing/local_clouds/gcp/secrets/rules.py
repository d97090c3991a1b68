"""What a request may have in it.

Patterns of resource names are the discovery document's own; rules of fields are what it says of
them in words (``Secret.labels``, ``.annotations``, ``.versionAliases``, ``SecretPayload``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

import grpc

from airflow_multicloud.testing.local_clouds.gcp import PROJECT
from airflow_multicloud.testing.local_clouds.gcp.grpc.services import Refused, invalid

#: The project's number, which names in answers have.
NUMBER: Final = "481516234200"
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,255}")
_LABEL_KEY: Final = re.compile(r"(?=[^\W\d_])[\w-]{1,63}")
_LABEL_VALUE: Final = re.compile(r"[\w-]{0,63}")
_LABELS: Final = 64
_ANNOTATION_KEY: Final = re.compile(r"[a-zA-Z0-9]([\w.-]{0,61}[a-zA-Z0-9])?", re.ASCII)
_ANNOTATIONS: Final = 16 << 10
_ALIAS: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")
_ALIASES: Final = 50
_PAYLOAD: Final = 64 << 10
#: Fields that ``UpdateSecret`` changes here; Google changes some more.
_CHANGED: Final = frozenset({"labels", "annotations", "version_aliases"})


@cache
def _patterns() -> Mapping[str, re.Pattern[str]]:
    folder = files("googleapiclient.discovery_cache.documents")
    document = json.loads(folder.joinpath("secretmanager.v1.json").read_text())
    secrets = document["resources"]["projects"]["resources"]["secrets"]
    methods = {
        **secrets["methods"],
        **{
            f"versions.{name}": spec
            for name, spec in secrets["resources"]["versions"]["methods"].items()
        },
    }
    return {
        name: re.compile(parameter["pattern"])
        for name, spec in methods.items()
        for parameter in spec["parameters"].values()
        if "pattern" in parameter
    }


def parts_of(method: str, name: str) -> list[str]:
    """The parts of a resource name that are no words: project, secret, version.

    :param method: of the document, whose pattern it must fit.
    :raises Refused: when it does not, or is of another project.
    """
    if not _patterns()[method].fullmatch(name):
        raise invalid(f"Invalid resource field value in the request: {name!r}.")
    parts = name.split("/")[1::2]
    if parts[0] not in (PROJECT, NUMBER):
        raise Refused(
            grpc.StatusCode.PERMISSION_DENIED,
            f"Permission denied on resource project {parts[0]}.",
        )
    return parts


def check_id(secret_id: str) -> None:
    """Whether a secret may be called so.

    :raises Refused: when it may not.
    """
    if not _ID.fullmatch(secret_id):
        raise invalid(f"Secret ID must match {_ID.pattern}.")


def check_secret(secret: Any) -> None:
    """Whether labels and annotations may be so.

    :raises Refused: when they may not.
    """
    if len(secret.labels) > _LABELS:
        raise invalid(f"No more than {_LABELS} labels can be assigned to a resource.")
    for key, value in secret.labels.items():
        if key != key.lower() or not _LABEL_KEY.fullmatch(key):
            raise invalid(f"The label key {key!r} is invalid.")
        if value != value.lower() or not _LABEL_VALUE.fullmatch(value):
            raise invalid(f"The value of label {key!r} is invalid.")
    for key in secret.annotations:
        if not _ANNOTATION_KEY.fullmatch(key):
            raise invalid(f"The annotation key {key!r} is invalid.")
    size = sum(len(text.encode()) for pair in secret.annotations.items() for text in pair)
    if size >= _ANNOTATIONS:
        raise invalid(f"The annotations have {size} bytes; they must have less than 16KiB.")


def check_aliases(aliases: Mapping[str, int], numbers: Iterable[int]) -> None:
    """Whether versions may be called so.

    :param numbers: of the versions that there are.
    :raises Refused: when they may not.
    """
    known = set(numbers)
    if len(aliases) > _ALIASES:
        raise invalid(f"No more than {_ALIASES} aliases can be assigned to a secret.")
    for alias, number in aliases.items():
        if not _ALIAS.fullmatch(alias) or alias.lower() in ("latest", "new"):
            raise invalid(f"The version alias {alias!r} is invalid.")
        if number not in known:
            raise invalid(
                f"The version alias {alias!r} is of version {number}, which is not there."
            )


def check_mask(paths: Iterable[str]) -> list[str]:
    """The fields that are to be changed.

    :raises Refused: for none, and for those that can't be.
    """
    found = list(paths)
    if not found or not _CHANGED.issuperset(found):
        raise invalid(f"The update mask {', '.join(found)!r} is invalid.")
    return found


def check_replication(secret: Any) -> None:
    """Whether a new secret says where it is to be kept.

    :raises Refused: when it does not.
    """
    if secret.replication.WhichOneof("replication") is None:
        raise invalid("secret.replication is required.")


def check_payload(payload: Any, checksum: int) -> None:
    """Whether a value may be so.

    :param checksum: of what has arrived.
    :raises Refused: when it may not.
    """
    if not payload.data:
        raise invalid("Secret Payload cannot be empty.")
    if len(payload.data) > _PAYLOAD:
        raise invalid(f"The Secret Payload must be no larger than {_PAYLOAD} bytes.")
    if payload.HasField("data_crc32c") and payload.data_crc32c != checksum:
        raise invalid("The crc32c checksum of the payload does not match its data.")
