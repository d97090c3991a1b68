"""How what is ordered is named, labelled and found again: this, and nothing else, finds it.

The labels of an instance or a snapshot say who ordered it: which task of which run, for which map
index and after how many clearings. They are the only record; a run that was killed is followed by
one that reads them.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from airflow_multicloud.labels import comparable
from airflow_multicloud.ports.database import TOKEN_LABEL

#: What an instance or a snapshot was ordered as: ``restore``, ``snapshot``.
KIND = "multicloud-database-kind"
#: Digest of the DAG, the run and the task, which all tries and map indexes have in common.
RUN = "multicloud-database-run"
MAP_INDEX = "multicloud-database-map-index"
#: Digest of the whole order.
ORDER = "multicloud-database-order"
GENERATION = "multicloud-database-generation"
#: Digest of the full id of what it was made of.
SOURCE = "multicloud-database-source"
#: Its own name. A clone or a replica that has inherited the labels has another one.
NAME = "multicloud-database-name"
#: Whether it may be removed when its run is over.
SCRATCH = "multicloud-scratch"
#: Digest of the series that a snapshot is one of: one task's of every run, of one instance.
SERIES = "multicloud-database-series"
#: The moment that was restored: milliseconds since 1970.
MOMENT = "multicloud-database-moment"

YES, NO = "yes", "no"
RESTORE, SNAPSHOT = "restore", "snapshot"

#: Of tokens; made once, at random.
_NAMESPACE = uuid.UUID("0f1c0a55-3c35-4f8e-8f0a-5d2c8a1c9b47")
_DIGITS = 40
_DIGEST = re.compile(rf"[0-9a-f]{{{_DIGITS}}}")
_NUMBER = re.compile(r"[0-9]{1,15}")
_NOT_MAPPED = "none"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
#: Of a derived name: the part that is there for readers, and the digits of the token, of the run's
#: digest and of the map index's.
_READABLE = 20
_MARK, _RUN_MARK, _MAP_MARK = 16, 12, 8
_DERIVED = re.compile(
    rf"mc-(?:[a-z0-9-]+-)?(?P<token>[0-9a-f]{{{_MARK}}})(?P<run>[0-9a-f]{{{_RUN_MARK}}})"
    rf"(?P<map>[0-9a-f]{{{_MAP_MARK}}})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Requester:
    """On whose behalf something is ordered.

    :param run: what all tries and map indexes of a task in a run have in common, and nothing else.
    :param map_index: -1 for a task that is not mapped.
    :param clearings: how often the run was cleared: who clears a task wants it done again.
    :param readable: the DAG's id, say; it stands in names.
    :param series: what the same task of every run has in common; empty for none.
    """

    run: str
    map_index: int = -1
    clearings: int = 0
    readable: str = ""
    series: str = ""

    @property
    def run_digest(self) -> str:
        """As the label :data:`RUN` has it."""
        return _digest(["run", self.run])

    @property
    def map_label(self) -> str:
        """As the label :data:`MAP_INDEX` has it."""
        return _NOT_MAPPED if self.map_index < 0 else str(self.map_index)

    @property
    def series_digest(self) -> str:
        """As the label :data:`SERIES` has it; empty for none."""
        return _digest(["series", self.series]) if self.series else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderIdentity:
    """What the labels of one order's instance or snapshot say.

    :param run: digest of the requester's run.
    :param map_index: its label.
    :param order: digest of the order.
    :param source: digest of the full id of what it is made of.
    :param name: of the instance or the snapshot itself; empty while it has none.
    :param generation: from 0; raised when a name can't be had again.
    :param scratch: whether it may be removed when its run is over.
    :param moment: what was restored, where that is known.
    :param series: digest of a snapshot's series; empty for none.
    """

    kind: str
    run: str
    map_index: str
    order: str
    source: str
    name: str = ""
    generation: int = 0
    scratch: bool = False
    moment: datetime | None = None
    series: str = ""

    @property
    def token(self) -> str:
        """The order's token: the same for every try."""
        parts = [self.kind, self.run, self.map_index, self.order, self.source, self.generation]
        # With what decides which snapshots are removed for others of it.
        parts += [self.series] if self.series else []
        return str(uuid.uuid5(_NAMESPACE, json.dumps(parts)))

    def labels(self) -> dict[str, str]:
        """The labels that say all of it."""
        found = {
            KIND: self.kind,
            RUN: self.run,
            MAP_INDEX: self.map_index,
            ORDER: self.order,
            SOURCE: self.source,
            GENERATION: str(self.generation),
            NAME: self.name,
            SCRATCH: YES if self.scratch else NO,
        }
        if self.series:
            found[SERIES] = self.series
        if self.moment is not None:
            found[MOMENT] = str((self.moment - _EPOCH) // _MILLISECOND)
        return found

    def named(self, own: str | None, readable: str) -> OrderIdentity:
        """The same with its name.

        :param own: the name that was asked for; derived when left out.
        """
        return replace(self, name=own or self._derived_name(readable))

    def _derived_name(self, readable: str) -> str:
        """A name that another order, and another generation, does not have.

        It says whose it is: a clone of Google Cloud's has no labels while it is being made.
        """
        mark = uuid.UUID(self.token).hex[:_MARK] + self.run[:_RUN_MARK] + _map_mark(self.map_index)
        words = re.sub(r"[^a-z0-9]+", "-", comparable(readable))[:_READABLE].strip("-")
        return "-".join(filter(None, ("mc", words, mark)))


def token_beginning(name: str, *, run: str, map_index: str | None) -> str | None:
    """The beginning of its order's token that the derived name of an instance says.

    :param run: the digest of the run that must have ordered it.
    :param map_index: the label of the map index that must have; ``None`` for any.
    :return: as a UUID with zeros at its end; ``None`` for the name of another's.
    """
    found = _DERIVED.fullmatch(name)
    if found is None or found["run"] != run[:_RUN_MARK]:
        return None
    if map_index is not None and found["map"] != _map_mark(map_index):
        return None
    return str(uuid.UUID(found["token"].ljust(32, "0")))


def identity_of_order(
    kind: str,
    requester: Requester,
    source: str,
    asked: Mapping[str, object],
    *,
    again_when_cleared: bool,
    scratch: bool = False,
) -> OrderIdentity:
    """The identity of an order.

    :param source: full id of what it is made of.
    :param asked: what else tells it from another order of the same task (JSON).
    :param again_when_cleared: whether a task that is cleared orders another one; with a name of
        its own there is only the one.
    """
    clearings = requester.clearings if again_when_cleared else None
    whole = [kind, requester.run, requester.map_index, clearings, source, dict(asked)]
    return OrderIdentity(
        kind=kind,
        run=requester.run_digest,
        map_index=requester.map_label,
        order=_digest(whole),
        source=source_digest(source),
        scratch=scratch,
        series=requester.series_digest if kind == SNAPSHOT else "",
    )


def source_digest(full_id: str) -> str:
    """The full id of what something is made of, as the label :data:`SOURCE` has it."""
    return _digest(["source", full_id])


def identity_of(labels: Mapping[str, str], name: str) -> OrderIdentity | None:
    """What labels say; ``None`` when this package would not have written them to it.

    :param name: of the instance or the snapshot that carries them.

    Whoever may label an account's databases may write them: they tell what was ordered for whom,
    and nothing that is trusted beyond the account.
    """
    forms = {
        KIND: re.compile(f"{RESTORE}|{SNAPSHOT}"),
        RUN: _DIGEST,
        MAP_INDEX: re.compile(rf"{_NOT_MAPPED}|[0-9]{{1,15}}"),
        ORDER: _DIGEST,
        SOURCE: _DIGEST,
        GENERATION: _NUMBER,
        NAME: re.compile(re.escape(name)),
        SCRATCH: re.compile(f"{YES}|{NO}"),
    }
    if not all(form.fullmatch(labels.get(key, "")) for key, form in forms.items()):
        return None
    series = labels.get(SERIES, "")
    if series and not _DIGEST.fullmatch(series):
        return None
    written = labels.get(MOMENT)
    if written is not None and not _NUMBER.fullmatch(written):
        return None
    try:
        moment = None if written is None else _EPOCH + int(written) * _MILLISECOND
    except OverflowError:
        return None
    found = OrderIdentity(
        kind=labels[KIND],
        run=labels[RUN],
        map_index=labels[MAP_INDEX],
        order=labels[ORDER],
        source=labels[SOURCE],
        name=name,
        generation=int(labels[GENERATION]),
        scratch=labels[SCRATCH] == YES,
        moment=moment,
        series=series,
    )
    return found if labels.get(TOKEN_LABEL) == found.token else None


def _map_mark(map_index: str) -> str:
    return _digest(["map index", map_index])[:_MAP_MARK]


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:_DIGITS]
