"""The labels of snapshots: tags of their server, since backups have neither tags nor a description.

A backup's labels are one JSON text, cut into tags ``multicloud-snapshot:<backup>:<number>`` of the
server, each of which begins with the second in which it was written, in hexadecimal digits. They
are written before the backup is taken, added by "Tags - Update At Scope"
(https://learn.microsoft.com/rest/api/resources/tags/update-at-scope), which leaves other tags as
they are, and go when it is removed. Those of backups that Azure has deleted go before the next
snapshot's are written.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
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
#: How the keys of most labels begin, and what stands for it, which begins no key: a server has few
#: tags.
_COMMON, _SHORT = "multicloud-database-", "~"
_WRITTEN = re.compile(r"([0-9a-f]{8}):")
#: Of a tag's value, what is there for the labels.
_PART = LONGEST_VALUE - 9
#: So long may a backup be missing in listings once its labels are written: it is taken after that,
#: perhaps by a later try.
_TAKING = timedelta(days=1)


class BackupTags(Listings):
    """Writing and removing the labels of backups."""

    def _keep_labels(
        self,
        place: Place,
        server: Server,
        backup: str,
        labels: Mapping[str, str],
        there: Collection[str],
    ) -> None:
        """Write what a backup is labelled with, and drop what backups were that are gone.

        :param there: the names of the server's backups, listed after ``server`` was read.
        :raises DatabaseError: ``quota``, when the server has no room for so many tags.
        """
        now = datetime.now(UTC)
        short = {_shortened(key): value for key, value in labels.items()}
        text = json.dumps(short, sort_keys=True, separators=(",", ":"))
        written = f"{int(now.timestamp()):08x}:"
        parts = [text[at : at + _PART] for at in range(0, len(text), _PART)]
        tags = {
            f"{BACKUP_TAGS}{backup}:{number}": written + part for number, part in enumerate(parts)
        }
        gone = _of_gone(server.tags or {}, {backup, *there}, now)
        if gone:
            self._change_tags(place, "Delete", gone, f"dropping tags of backups of {place.name}")
        total = len({*(server.tags or {})} - {*gone} | {*tags})
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
        """Add, or delete: what is deleted has the value that was read, or stays."""
        url = f"{place.server}/providers/Microsoft.Resources/tags/default"
        body = {"operation": operation, "properties": {"tags": dict(tags)}}
        with translated(f"{doing} (Microsoft.Resources/tags/write)"):
            self._ask("PATCH", url, query=_VERSION, body=body)


def labels_of_backup(server: Server, backup: str) -> dict[str, str]:
    """What a backup is labelled with; nothing where somebody has changed the tags."""
    try:
        found = json.loads("".join(_parts(server.tags or {}, f"{BACKUP_TAGS}{backup}:")))
        return {_whole(str(key)): str(value) for key, value in found.items()}
    except MALFORMED:
        return {}


def _shortened(key: str) -> str:
    return f"{_SHORT}{key.removeprefix(_COMMON)}" if key.startswith(_COMMON) else key


def _whole(key: str) -> str:
    return f"{_COMMON}{key.removeprefix(_SHORT)}" if key.startswith(_SHORT) else key


def _parts(tags: Mapping[str, str], begin: str) -> Iterable[str]:
    """The values of a backup's tags, in order."""
    number = 0
    while (part := tags.get(f"{begin}{number}")) is not None:
        written = _WRITTEN.match(part)
        yield part[written.end() :] if written else part
        number += 1


def _of_gone(tags: Mapping[str, str], there: Collection[str], now: datetime) -> dict[str, str]:
    """The tags of backups that are not there and are not about to be taken."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for key, value in tags.items():
        if key.startswith(BACKUP_TAGS):
            found[key.removeprefix(BACKUP_TAGS).rpartition(":")[0]][key] = value
    return {
        key: value
        for backup, of_it in found.items()
        if backup not in there and not any(_is_new(one, now) for one in of_it.values())
        for key, value in of_it.items()
    }


def _is_new(value: str, now: datetime) -> bool:
    written = _WRITTEN.match(value)
    return written is not None and now.timestamp() - int(written[1], 16) < _TAKING.total_seconds()
