"""Manifests: the record of a run, kept as objects beside every replica.

``.airflow-multicloud/manifests/<replica>-<source>/<run>.jsonl`` in the replica's bucket, where
``<replica>`` and ``<source>`` are short hashes of the two prefixes. The first line is the
header, the last one the footer with counts and Merkle root, each line between is one object
(:mod:`items`). ``.airflow-multicloud/latest/<replica>-<source>.json`` names the newest complete
manifest and is written last, so a reader sees the old one or the new one; where a retention policy
keeps it, a new one lies beside it, with a time in its name.
``.airflow-multicloud/journals/<replica>-<source>/`` has the objects finished by a run that has
not ended yet.
"""

from airflow_multicloud.core.replication.manifest.journalling import (
    all_journals,
    delete_journals,
    is_over,
    journals,
    write_journal,
)
from airflow_multicloud.core.replication.manifest.lines import FORMAT, Header, Latest
from airflow_multicloud.core.replication.manifest.names import place
from airflow_multicloud.core.replication.manifest.pointers import (
    all_latest,
    find_latest,
    latest_of,
    read_latest,
)
from airflow_multicloud.core.replication.manifest.reading import (
    at_run,
    objects_of,
    outline,
    proofs,
    recorded,
    run_id_of,
)
from airflow_multicloud.core.replication.manifest.writing import write

__all__ = [
    "FORMAT",
    "Header",
    "Latest",
    "all_journals",
    "all_latest",
    "at_run",
    "delete_journals",
    "find_latest",
    "is_over",
    "journals",
    "latest_of",
    "objects_of",
    "outline",
    "place",
    "proofs",
    "read_latest",
    "recorded",
    "run_id_of",
    "write",
    "write_journal",
]
