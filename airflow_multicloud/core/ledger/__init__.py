"""The ledger of a bucket: what is proven of the objects that were replicated or uploaded to it.

A ledger is a log of numbered commits, which are objects beside the replicas, below
``.airflow-multicloud/ledger/``. Each is written once and created only if absent, so two writers
can't both write the same number: who loses reads what came between and writes the next one. A
commit says what a run saw and changed, and holds the whole state after it: small changes within
itself, others in sorted segments that it names by their SHA-256. So the newest commit is all that a
reader needs, and the hash of its text (its *root*) commits to everything, the commits before it
included.

A replica is a prefix of the bucket. There is one ledger per bucket, since replicas may lie within
each other (a prefix, a part of it, one object): with two ledgers there would be two truths about an
object.

The format is described for other programs in ``docs/ledger.md``.
"""
