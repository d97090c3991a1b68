# Written by docs/generate.py from __init__.py; `python docs/generate.py` renews it.

from airflow_multicloud.operators.object_store.fetch import (
    FailoverFetchOperator as FailoverFetchOperator,
)
from airflow_multicloud.operators.object_store.replicate import (
    ReplicateOperator as ReplicateOperator,
)
from airflow_multicloud.operators.object_store.sharded import (
    CloseReplicationOperator as CloseReplicationOperator,
)
from airflow_multicloud.operators.object_store.sharded import (
    PlanReplicationOperator as PlanReplicationOperator,
)
from airflow_multicloud.operators.object_store.sharded import (
    ReplicateShardOperator as ReplicateShardOperator,
)
from airflow_multicloud.operators.object_store.sharded import (
    sharded_replication as sharded_replication,
)
from airflow_multicloud.operators.object_store.upload import (
    UploadArtifactOperator as UploadArtifactOperator,
)
from airflow_multicloud.operators.object_store.verify import (
    VerifyReplicaOperator as VerifyReplicaOperator,
)
