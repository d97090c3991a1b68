"""The labels of snapshots: tags of their server, since backups have neither tags nor a description.

A backup's labels are one JSON text, cut into tags ``multicloud-snapshot:<backup>:<number>`` of the
server. They are written before the backup is taken, added by "Tags - Update At Scope"
(https://learn.microsoft.com/rest/api/resources/tags/update-at-scope), which leaves other tags as
they are, and go when it is removed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from airflow_multicloud.adapters.answers import MALFORMED
from airflow_multicloud.clouds.azure.database.errors import failure, translated
from airflow_multicloud.clouds.azure.database.fields import BACKUP_TAGS, Place
from airflow_multicloud.clouds.azure.database.listing import Listings
from airflow_multicloud.clouds.azure.tagging import LONGEST_VALUE, MOST_TAGS
from airflow_multicloud.errors import ErrorKind

if TYPE_CHECKING:
    from azure.mgmt.postgresqlflexibleservers.models import Server

_VERSION = {"api-version": "2025-04-01"}


class BackupTags(Listings):
    """Writing and removing the labels of backups."""

    def _keep_labels(
        self, place: Place, server: Server, backup: str, labels: Mapping[str, str]
    ) -> None:
        """Write what a backup is labelled with.

        :raises DatabaseError: ``quota``, when the server has no room for so many tags.
        """
        text = json.dumps(dict(labels), sort_keys=True, separators=(",", ":"))
        parts = [text[at : at + LONGEST_VALUE] for at in range(0, len(text), LONGEST_VALUE)]
        tags = {f"{BACKUP_TAGS}{backup}:{number}": part for number, part in enumerate(parts)}
        total = len({*(server.tags or {}), *tags})
        if total > MOST_TAGS:
            raise failure(
                f"labels: {place.name} would have {total} tags with those of the snapshot "
                f"{backup}, Azure has {MOST_TAGS} at most; remove older snapshots, or tags",
                ErrorKind.QUOTA,
            )
        self._change_tags(place, "Merge", tags, f"labelling the snapshot {backup}")

    def _forget_labels(self, place: Place, server: Server | None) -> None:
        """Remove the labels of a backup that is gone; nothing to do where there are none."""
        tags: Mapping[str, str] = (server.tags or {}) if server is not None else {}
        begin = f"{BACKUP_TAGS}{place.backup}:"
        found = {key: value for key, value in tags.items() if key.startswith(begin)}
        if found:
            self._change_tags(place, "Delete", found, f"removing the labels of {place.backup}")

    def _change_tags(
        self, place: Place, operation: str, tags: Mapping[str, str], doing: str
    ) -> None:
        url = f"{place.server}/providers/Microsoft.Resources/tags/default"
        body = {"operation": operation, "properties": {"tags": dict(tags)}}
        with translated(f"{doing} (Microsoft.Resources/tags/write)"):
            self._ask("PATCH", url, query=_VERSION, body=body)


def labels_of_backup(server: Server, backup: str) -> dict[str, str]:
    """What a backup is labelled with; nothing where somebody has changed the tags."""
    try:
        found = json.loads("".join(_parts(server.tags or {}, f"{BACKUP_TAGS}{backup}:")))
        return {str(key): str(value) for key, value in found.items()}
    except MALFORMED:
        return {}


def _parts(tags: Mapping[str, str], begin: str) -> Iterable[str]:
    """The values of a backup's tags, in order."""
    number = 0
    while (part := tags.get(f"{begin}{number}")) is not None:
        yield part
        number += 1
