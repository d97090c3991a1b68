"""What all operators of a replication take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from airflow_multicloud.api.object_store.destinations import Destination
from airflow_multicloud.api.object_store.replicas import replication
from airflow_multicloud.core.replication import engine
from airflow_multicloud.core.replication.closing import ReplicationFailedError
from airflow_multicloud.core.replication.options import (
    CompareAttributes,
    ContentDigest,
    ObjectFilter,
    OnError,
    ReplicationOptions,
    include_globs,
)
from airflow_multicloud.core.replication.progress import Snapshot
from airflow_multicloud.core.replication.report import ReplicationReport
from airflow_multicloud.core.replication.request import Replication
from airflow_multicloud.documents import to_document
from airflow_multicloud.lists import texts
from airflow_multicloud.operators.base import Outcome
from airflow_multicloud.operators.object_store.destinations import DestinationsOperator
from airflow_multicloud.operators.remembered import ledgers_of


class ReplicationOperator(DestinationsOperator):
    """The arguments that all operators of one replication take, and must be given alike.

    :param source: URI of an object, or of a prefix (it ends with a slash):
        ``s3://conn_id@bucket/prefix/``.
    :param destinations: URIs, or :class:`~airflow_multicloud.api.Destination` for a storage
        class or an encryption key.
    :param include: globs on the key below the prefix; ``*`` matches ``/`` too.
    :param exclude: globs of what is left out.
    :param min_size: bytes.
    :param max_size: bytes.
    :param min_age: since the last modification.
    :param max_age: since the last modification.
    :param immutable: never replace an object that differs; it is a ``conflict``.
    :param on_error: ``continue`` or ``fail`` (stop at the first object that fails).
    :param min_success_ratio: the share of copies that must end sound for the task to succeed.
    :param preserve_tags: copy object tags too (one more request per object).
    :param compare_attributes: copy an object with unchanged content again when its attributes
        changed: ``auto`` where a listing shows it, ``always`` (its tags too; at least one more
        request per object) or ``never``.
    :param delete_extraneous: delete what the source does not have; needs ``max_delete``.
    :param max_delete: the most objects to delete at one destination.
    :param max_replace: the most objects to replace at one destination: an ``int`` counts them, a
        ``float`` from 0 to 1 is a share of those there. More, as of an encrypted source, is
        refused before anything is copied.
    :param create_buckets: create destination buckets that do not exist.
    :param part_size: bytes per part of a large object.
    :param large_object: objects larger than this many bytes go by parts (``part_size``).
    :param digest: what these are told by, besides a CRC32C: ``sha256``, or ``blake3`` (extra
        ``blake3``), which takes a quarter of the time. Smaller ones have a SHA-256 always.
    :param concurrency: requests under way at once.
    :param memory_limit: bytes of content held at once.
    :param bandwidth_limit: bytes read from the source per second.
    :param signing_conn_id: an Airflow connection with an Ed25519 key, which signs what the run
        writes into the destinations' ledgers.
    """

    template_fields: Sequence[str] = (
        "source",
        "destinations",
        "include",
        "exclude",
        "signing_conn_id",
    )

    def __init__(
        self,
        *,
        source: str,
        destinations: Sequence[str | Destination],
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        min_size: int | None = None,
        max_size: int | None = None,
        min_age: timedelta | None = None,
        max_age: timedelta | None = None,
        immutable: bool = False,
        on_error: str = "continue",
        min_success_ratio: float = 1.0,
        preserve_tags: bool = False,
        compare_attributes: str = "auto",
        delete_extraneous: bool = False,
        max_delete: int | None = None,
        max_replace: float | None = None,
        create_buckets: bool = False,
        part_size: int = ReplicationOptions().part_size,
        large_object: int | None = None,
        digest: str = "sha256",
        concurrency: int = ReplicationOptions().concurrency,
        memory_limit: int = ReplicationOptions().memory_limit,
        bandwidth_limit: int | None = None,
        signing_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.source = source
        self.destinations = destinations
        self.include = include
        self.include_given = include != ()
        self.exclude = exclude
        self.signing_conn_id = signing_conn_id
        self.options = ReplicationOptions(
            filter=ObjectFilter(
                min_size=min_size, max_size=max_size, min_age=min_age, max_age=max_age
            ),
            immutable=immutable,
            on_error=OnError.parse(on_error),
            min_success_ratio=min_success_ratio,
            preserve_tags=preserve_tags,
            compare_attributes=CompareAttributes.parse(compare_attributes),
            delete_extraneous=delete_extraneous,
            max_delete=max_delete,
            max_replace=max_replace,
            create_buckets=create_buckets,
            part_size=part_size,
            large_object=large_object,
            digest=ContentDigest.parse(digest),
            concurrency=concurrency,
            memory_limit=memory_limit,
            bandwidth_limit=bandwidth_limit,
        )

    @property
    def group(self) -> str:
        """What the tasks of one sharded replication have in common: their task group."""
        return self.task_id.rpartition(".")[0]

    def replication(self) -> Replication:
        """The replication of the rendered arguments; resolves connections, makes no request."""
        filtered = replace(
            self.options.filter,
            include=include_globs(self.include, given=self.include_given),
            exclude=texts(self.exclude, "exclude", what="globs"),
        )
        return replication(
            self.source,
            self.destinations,
            replace(self.options, filter=filtered),
            signing_conn_id=self.signing_conn_id or None,
        )

    def tell_progress(self, snapshot: Snapshot) -> None:
        """Write one line about progress to the task log."""
        self.log.info("replicated %s", snapshot)

    def finish(
        self, replication: Replication, run: Callable[[Replication], ReplicationReport]
    ) -> Outcome:
        """Run a replication, and tell its report, also when too few objects ended sound.

        :param run: what makes the report.
        """
        failure = None
        try:
            report = run(replication)
        except ReplicationFailedError as err:
            report, failure = err.report, err
        for destination in report.destinations:
            counts = ", ".join(f"{n} {o}" for o, n in sorted(destination.outcomes.items()))
            self.log.info("%s: %s; commit %s", destination.uri, counts, destination.commit_uri)
        for left_out in report.left_out:
            self.log.warning("left out: %s", left_out)
        for told in engine.options_without_effect(replication, report):
            self.log.info("%s", told)
        return Outcome(to_document(report), failure, ledgers=ledgers_of(report.destinations))
