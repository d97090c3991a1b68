"""What is to be replicated where, and how."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_multicloud.adapters.digests import check_blake3
from airflow_multicloud.core.apart import check_overlap
from airflow_multicloud.core.endpoints import Endpoint, check_reserved
from airflow_multicloud.core.ledger.writing import Sign
from airflow_multicloud.core.replication.options import ContentDigest, ReplicationOptions
from airflow_multicloud.errors import ErrorKind, StorageError


@dataclass(frozen=True, slots=True)
class Replication:
    """One source, its destinations, and how to replicate.

    :param sign: signs what is written into the destinations' ledgers.
    """

    source: Endpoint
    destinations: tuple[Endpoint, ...]
    options: ReplicationOptions = ReplicationOptions()
    sign: Sign | None = None

    def __post_init__(self) -> None:
        """Refuse what can't be replicated, before any request."""
        if not self.destinations:
            raise StorageError(
                "destinations: none given, expected at least one URI",
                kind=ErrorKind.INVALID_ARGUMENT,
            )
        if self.options.digest is ContentDigest.BLAKE3:
            check_blake3("digest: 'blake3' given")
        check_overlap(self.source, self.destinations)
        for number, destination in enumerate(self.destinations):
            check_reserved(destination, parameter=f"destinations[{number}]")
            if self.source.location.is_prefix and not destination.location.is_prefix:
                raise StorageError(
                    f"destinations[{number}]: {destination.location} must be a prefix (end with "
                    f"a slash), as the source {self.source.location} is one",
                    kind=ErrorKind.INVALID_ARGUMENT,
                )

    def landed(self) -> Replication:
        """A single object bound for a prefix keeps the last segment of its key there."""
        if self.source.location.is_prefix:
            return self
        basename = self.source.location.key.rpartition("/")[2]
        return Replication(
            self.source,
            tuple(d.below(basename) if d.location.is_prefix else d for d in self.destinations),
            self.options,
            self.sign,
        )
