"""Blob index tags: reading, replacing, and which there can be."""

from __future__ import annotations

import re
from collections.abc import Mapping

from airflow_multicloud.clouds.azure.object_store.client import ObjectStoreBase
from airflow_multicloud.clouds.azure.object_store.errors import translated
from airflow_multicloud.clouds.azure.object_store.keys import name_of
from airflow_multicloud.ports.object_store import ObjectRef

# "Set Blob Tags" (https://learn.microsoft.com/rest/api/storageservices/set-blob-tags).
_MOST_TAGS = 10
_TAG_NAME = re.compile(r"[A-Za-z0-9 +\-./:=_]{1,128}")
_TAG_VALUE = re.compile(r"[A-Za-z0-9 +\-./:=_]{0,256}")


class BlobTags(ObjectStoreBase):
    """The port's ``ObjectTags`` and ``TagRules``."""

    def get_tags(self, ref: ObjectRef) -> Mapping[str, str]:
        """The blob's index tags."""
        blob = self.account.blob(ref)
        with translated(f"reading the tags of {name_of(ref)}"):
            return dict(blob.get_blob_tags())

    def set_tags(self, ref: ObjectRef, tags: Mapping[str, str]) -> None:
        """Replace the blob's index tags (at most ten)."""
        blob = self.account.blob(ref)
        with translated(f"writing the tags of {name_of(ref)}"):
            blob.set_blob_tags(dict(tags))

    def why_not_tag(self, name: str, value: str) -> str | None:
        """Why no blob can have this index tag, or ``None`` when one can."""
        if _TAG_NAME.fullmatch(name) and _TAG_VALUE.fullmatch(value):
            return None
        return (
            "Azure allows letters and digits of ASCII, blanks and + - . / : = _, 1 to 128 for the "
            "name and at most 256 for the value"
        )

    @property
    def most_tags(self) -> int:
        """Ten."""
        return _MOST_TAGS
