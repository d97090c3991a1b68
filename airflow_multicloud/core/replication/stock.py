"""Taking stock: what lies where, and what earlier manifests prove of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack
from itertools import chain

from airflow_multicloud.core import cancellation
from airflow_multicloud.core.attributes import fingerprint
from airflow_multicloud.core.endpoints import RESERVED_PREFIX, Endpoint
from airflow_multicloud.core.replication import manifest
from airflow_multicloud.core.replication.ahead import Ahead
from airflow_multicloud.core.replication.catalog import SOURCE, Catalog, Listed
from airflow_multicloud.core.replication.items import Proof
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.ports.object_store import ObjectMeta


def listing(endpoint: Endpoint, *, attributes: bool = False) -> Iterator[Listed]:
    """What lies at an endpoint, this package's own objects left out.

    A location that is no prefix is one object, with the empty name.

    :param attributes: have their fingerprint, where the listing tells them.
    """
    location = endpoint.location
    if location.is_prefix:
        for meta in endpoint.objects(location.key):
            if not meta.key.startswith(RESERVED_PREFIX):
                yield _listed(meta, meta.key[len(location.key) :], attributes=attributes)
        return
    try:
        yield _listed(endpoint.store.stat_object(location.ref), "", attributes=attributes)
    except CloudError as err:
        if err.kind is not ErrorKind.NOT_FOUND:
            raise


def _listed(meta: ObjectMeta, name: str, *, attributes: bool) -> Listed:
    return Listed(
        name,
        meta.size,
        meta.etag,
        meta.version,
        meta.last_modified,
        meta.digests,
        fingerprint(meta.attributes) if attributes else None,
        meta.declared.md5,
    )


def take_stock(
    catalog: Catalog,
    source: Endpoint,
    destinations: Sequence[Endpoint],
    *,
    absent: Collection[int] = (),
    attributes: bool = False,
) -> None:
    """Fill the catalog with every listing, and with what earlier manifests prove.

    All are read at the same time, and stored one after the other.

    :param absent: destinations whose buckets are not there yet: nothing lies in them.
    :param attributes: note what the source's listing tells of them.
    """
    streams = 1 + 2 * len(destinations)
    with (
        cancellation.pool(streams, "multicloud-list") as pool,
        ExitStack() as reading,
    ):
        listed = [
            reading.enter_context(
                Ahead(
                    pool,
                    iter(())
                    if n - 1 in absent
                    else listing(end, attributes=attributes and end is source),
                )
            )
            for n, end in enumerate((source, *destinations))
        ]
        proven = [
            reading.enter_context(
                Ahead(pool, iter(()) if n in absent else _proofs(end, str(source.location)))
            )
            for n, end in enumerate(destinations)
        ]
        catalog.add_listing(SOURCE, listed[0])
        for side in range(len(destinations)):
            catalog.add_listing(side, listed[side + 1])
            catalog.add_proofs(side, proven[side])


def _proofs(destination: Endpoint, source: str) -> Iterator[tuple[str, Proof]]:
    latest = manifest.read_latest(destination, source)
    keys = [latest.key] if latest else []
    since = latest.started if latest else None
    for key in chain(keys, manifest.journals(destination, source, since=since)):
        try:
            yield from manifest.proofs(destination, key)
        except CloudError as err:
            if err.kind is not ErrorKind.NOT_FOUND:
                raise  # A manifest that was deleted proves nothing: all is compared again.
