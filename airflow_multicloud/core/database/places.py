"""Where restored instances lie, and which of those that lie there are a run's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from airflow_multicloud.core.database.identity import (
    MAP_INDEX,
    RESTORE,
    RUN,
    SCRATCH,
    YES,
    identity_of,
    token_beginning,
)
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.ports.database import (
    DatabaseInstance,
    DatabasePlace,
    DatabaseRef,
    DatabaseService,
)


def places_of(
    service: DatabaseService,
    region: str | None,
    account: str | None,
    sources: Iterable[DatabaseRef],
) -> tuple[DatabasePlace, ...]:
    """Where restores of these sources lie, and those that nobody says the source of.

    :param region: of the latter; the connection's own for ``None``.
    :param account: likewise, where a connection sees several.
    :raises CloudError: ``invalid_argument`` when nothing says where.
    """
    known = [service.database_place(one) for one in sources]
    try:
        home = service.database_place(None)
    except CloudError as err:
        # A connection without a region or a project of its own: all that it restores has a full id.
        if err.kind is not ErrorKind.INVALID_ARGUMENT or not (known or region):
            raise
        if region is not None:
            known.insert(0, DatabasePlace(region=region))
    else:
        sees_several = account is not None and home.account_id is not None
        own = replace(
            home,
            region=home.region if region is None else region,
            account_id=account if sees_several else home.account_id,
        )
        # What is restored is of its source's kind, wherever it lies.
        kinds = dict.fromkeys(one.kind for one in known) or {home.kind: None}
        known = [*(replace(own, kind=kind) for kind in kinds), *known]
    return tuple(dict.fromkeys(known))


def listed_in(
    service: DatabaseService, place: DatabasePlace, run: str, map_index: str | None
) -> Iterator[tuple[DatabaseInstance, str | None]]:
    """What lies there and is a run's scratch, or seems to be.

    :param run: the digest.
    :param map_index: the label; ``None`` for any.
    :return: with its order's token, as far as that is known: of one that may be labelled later, the
        beginning that its derived name says; ``None`` when neither tells.
    """
    wanted = {RUN: run, SCRATCH: YES}
    if map_index is not None:
        wanted[MAP_INDEX] = map_index
    for one in service.list_databases({}, place):
        seems = all(one.labels.get(key) == value for key, value in wanted.items())
        identity = identity_of(one.labels, one.name)
        if identity is not None:
            if seems and identity.kind == RESTORE:
                yield one, identity.token
            continue
        token = token_beginning(one.name, run=run, map_index=map_index)
        if seems or token is not None:
            # One that has lost its labels is somebody's who keeps it.
            yield one, token if one.labels_may_follow else None
