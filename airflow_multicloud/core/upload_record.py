"""What an upload writes into the ledger of the replica that it is part of."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.ledger import writing
from airflow_multicloud.core.ledger.base import base_of
from airflow_multicloud.core.ledger.commits import Mark, Step
from airflow_multicloud.core.ledger.entries import Entry, Origin, Proof
from airflow_multicloud.core.ledger.state import Draft
from airflow_multicloud.core.ledger.writing import Sign
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.run import new_identity
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.ports.object_store import Digests


def record_upload(
    destination: Endpoint,
    name: str,
    size: int,
    digests: Digests,
    *,
    etag: str,
    version: str | None,
    outcome: Outcome,
    started: datetime,
    sign: Sign | None = None,
) -> Mark | None:
    """Record an object that was uploaded; the commit, if that took one.

    A bucket without a ledger holds no replica, and gets none.

    :param name: of the file.
    :param digests: of its content, as the service has confirmed it.
    :param outcome: ``verified`` for what was there already.
    :raises CloudError: when the ledger can't be read or written.
    """
    key = destination.location.key
    base = base_of(destination)
    if base.number == 0 or base.damaged:  # One upload starts no replica's ledger over.
        return None
    try:
        known = base.entry(key)
    except CloudError as err:
        if err.kind is not ErrorKind.INTEGRITY:
            raise
        known = None  # The next replication finds out what is the matter.
    before = known.proof if known else None
    if outcome is Outcome.VERIFIED and before is not None and before.etag == etag and before.proven:
        return None  # It is known as it is.
    identity = new_identity(None)
    proof = Proof(
        size=size,
        etag=etag,
        digests=digests,
        origin=Origin(f"file:{name}"),
        outcome=outcome,
        run_id=identity.run_id,
        at=datetime.now(UTC),
        as_of=started,
        version=version,
        confirmed="sha256" if outcome is Outcome.VERIFIED else "crc32c",
    )
    entry = Entry(key, proof)

    def changes() -> Iterable[Entry]:
        return [entry]

    draft = Draft(
        identity=identity, step=Step.UPLOAD, prefix=key, source=f"file:{name}", started=started
    )
    made = writing.commit(destination, draft, changes, base=base, known=lambda _: known, sign=sign)
    return made.head.mark if made.head else None
