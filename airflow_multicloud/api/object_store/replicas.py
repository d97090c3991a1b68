"""Make replicas, and prove them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from airflow_multicloud.api.object_store.destinations import Destination, open_destinations
from airflow_multicloud.core.apart import check_others
from airflow_multicloud.core.endpoints import naming
from airflow_multicloud.core.ledger.memory import Remembered
from airflow_multicloud.core.ledger.signing import signing
from airflow_multicloud.core.replication import engine
from airflow_multicloud.core.replication.options import ReplicationOptions
from airflow_multicloud.core.replication.plans import NAMED_PLANNED, Plan
from airflow_multicloud.core.replication.progress import INTERVAL, Listener
from airflow_multicloud.core.replication.report import ReplicationReport
from airflow_multicloud.core.replication.request import Replication
from airflow_multicloud.core.replication.verification import Depth, VerificationReport
from airflow_multicloud.core.replication.verification import verify as _verify
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.lists import texts
from airflow_multicloud.opening.endpoints import open_endpoint
from airflow_multicloud.opening.public_keys import open_public_keys
from airflow_multicloud.opening.signing import open_signer
from airflow_multicloud.registry import session

_RUN_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}")


@session()
def replication(
    source: str,
    destinations: Sequence[str | Destination],
    options: ReplicationOptions = ReplicationOptions(),
    *,
    signing_conn_id: str | None = None,
) -> Replication:
    """Resolve URIs to stores and check that they can be replicated; no request is made.

    :param signing_conn_id: as for :func:`replicate`.
    :raises CloudError: naming the parameter that is wrong.
    """
    opened = open_destinations(destinations, parameter="destinations")
    sign = signing(open_signer(signing_conn_id))
    return Replication(open_endpoint(source, parameter="source"), opened, options, sign)


@session()
@operation("replicate")
def replicate(
    source: str,
    destinations: Sequence[str | Destination],
    options: ReplicationOptions = ReplicationOptions(),
    *,
    run_id: str | None = None,
    signing_conn_id: str | None = None,
    listener: Listener | None = None,
    interval: float = INTERVAL,
) -> ReplicationReport:
    """Make every destination a proven replica of an object or a prefix.

    :param run_id: names the run: letters, digits, ``.``, ``_`` and ``-``; a random one when
        left out.
    :param signing_conn_id: an Airflow connection with an Ed25519 key, which signs what the run
        writes into the destinations' ledgers.
    :param listener: told about progress on this thread, at most every ``interval`` seconds.
    :raises CloudError: before any byte moves, for whatever is wrong with the call.
    :raises ReplicationFailedError: when too few objects ended sound.
    """
    check_run_id(run_id)
    return engine.replicate(
        replication(source, destinations, options, signing_conn_id=signing_conn_id),
        run_id=run_id,
        listener=listener,
        interval=interval,
    )


@session()
@operation("replicate.plan")
def plan_replication(
    source: str,
    destinations: Sequence[str | Destination],
    options: ReplicationOptions = ReplicationOptions(),
    *,
    named: int = NAMED_PLANNED,
) -> tuple[Plan, ...]:
    """What :func:`replicate` would do now: objects, bytes and requests per destination.

    A bucket that ``create_buckets`` would create counts as empty.

    :param named: how many keys of each kind (replaced, compared, deleted) to name.
    """
    return engine.plan(replication(source, destinations, options), named=named)


@session()
@operation("verify_replica")
def verify_replica(
    replica: str,
    *,
    depth: Depth | str = Depth.AUTO,
    run_id: str | None = None,
    expected_root: str | None = None,
    at_least_commit: int | None = None,
    siblings: Sequence[str] = (),
    public_keys: bytes | Path | None = None,
    remembered: Remembered | None = None,
) -> VerificationReport:
    """Prove a replica against its ledger; see :class:`Depth`.

    Whoever can write to the replica's bucket can rewrite its ledger. The last five parameters are
    what speaks for it besides.

    :param depth: one of them, or its value.
    :param run_id: verify against the state at this run's last commit instead of the newest.
    :param expected_root: a ``ledger_root`` that was reported earlier: the newest commit must have
        it; with ``at_least_commit``, that commit, which may be an earlier one.
    :param at_least_commit: the newest commit must have this number or a greater one.
    :param siblings: URIs of other replicas: what their ledgers have seen of this one must be so,
        and the reverse; and of the same object at the source all must prove the same content. A
        contradiction makes the replica not proven. They are in other buckets, each given once.
    :param public_keys: one or more Ed25519 keys in PEM, or the file that has them: one of them must
        have signed the newest commit.
    :param remembered: a commit that was seen earlier, which must be the newest or before it. One
        that was deleted since, as ``cleanup`` does, is no error: it is named in the report.
    :raises StorageError: kind ``integrity`` when the ledger is damaged, not the expected one, or
        not signed.
    """
    check_run_id(run_id)
    if depth not in tuple(Depth):
        raise StorageError(
            f"depth: {depth!r} given, expected one of {', '.join(Depth)}",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    end = open_endpoint(replica, parameter="replica")
    others = [
        open_endpoint(uri, parameter=f"siblings[{number}]")
        for number, uri in enumerate(texts(siblings, "siblings", what="URIs"))
    ]
    check_others(end, others, parameter="siblings")
    keys = open_public_keys(public_keys)
    with naming("replica", end, "expected_root", "at_least_commit", "siblings", "run_id"):
        return _verify(
            end,
            depth=Depth(depth),
            run_id=run_id,
            expected_root=expected_root,
            at_least_commit=at_least_commit,
            siblings=others,
            public_keys=keys,
            remembered=remembered,
        )


def check_run_id(run_id: str | None, *, parameter: str = "run_id") -> None:
    """Refuse what can't name a run.

    :raises StorageError: kind ``invalid_argument``, naming the parameter.
    """
    # It becomes a part of keys; "../…" would lead to other runs' files, or out of them.
    if run_id is not None and not _RUN_ID.fullmatch(run_id):
        raise StorageError(
            f"{parameter}: {run_id!r} given, expected at most 200 letters, digits, '.', '_' and "
            "'-', the first not a '.'",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
