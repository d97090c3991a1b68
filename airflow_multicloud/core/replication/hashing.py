"""What the content of an object that goes by parts is told by."""

from __future__ import annotations

from airflow_multicloud.adapters.digests import StreamDigest
from airflow_multicloud.core.replication.options import ContentDigest
from airflow_multicloud.ports.object_store import Digests, ObjectMeta


def hasher(chosen: ContentDigest, meta: ObjectMeta) -> StreamDigest:
    """What computes the digests of an object while it is read.

    What the source reports is what tells a misread: the one digest it has is computed, too, and a
    SHA-256 before a BLAKE3, which can't be compared with it.

    :param meta: the object at the source.
    """
    reported = meta.digests
    declared = meta.declared.md5 if reported == Digests() else None
    blake3 = chosen is ContentDigest.BLAKE3 and reported.sha256 is None
    alone = reported.crc32c is None and reported.sha256 is None
    return StreamDigest(
        sha256=not blake3, blake3=blake3, md5=alone and (reported.md5 or declared) is not None
    )
