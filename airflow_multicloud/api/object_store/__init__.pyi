# Written by docs/generate.py from __init__.py; `python docs/generate.py` renews it.

from airflow_multicloud.api.object_store.buckets import make_bucket as make_bucket
from airflow_multicloud.api.object_store.cleanups import cleanup as cleanup
from airflow_multicloud.api.object_store.destinations import Destination as Destination
from airflow_multicloud.api.object_store.fetches import failover_fetch as failover_fetch
from airflow_multicloud.api.object_store.history import list_runs as list_runs
from airflow_multicloud.api.object_store.history import replica_status as replica_status
from airflow_multicloud.api.object_store.reachability import ReachableReplicas as ReachableReplicas
from airflow_multicloud.api.object_store.reachability import (
    reachable_replicas as reachable_replicas,
)
from airflow_multicloud.api.object_store.replicas import plan_replication as plan_replication
from airflow_multicloud.api.object_store.replicas import replicate as replicate
from airflow_multicloud.api.object_store.replicas import replication as replication
from airflow_multicloud.api.object_store.replicas import verify_replica as verify_replica
from airflow_multicloud.api.object_store.unified import UnifiedCloudStorage as UnifiedCloudStorage
from airflow_multicloud.api.object_store.uploads import CloudOperationResult as CloudOperationResult
from airflow_multicloud.api.object_store.uploads import plan_upload as plan_upload
from airflow_multicloud.api.object_store.uploads import upload_artifact as upload_artifact
from airflow_multicloud.core.cleanup import CleanupReport as CleanupReport
from airflow_multicloud.core.cleanup import Left as Left
from airflow_multicloud.core.cleanup import Leftover as Leftover
from airflow_multicloud.core.failover.local_names import name_of_path as name_of_path
from airflow_multicloud.core.failover.policy import FailoverPolicy as FailoverPolicy
from airflow_multicloud.core.failover.provenance import FailoverError as FailoverError
from airflow_multicloud.core.failover.provenance import IncompleteFetchError as IncompleteFetchError
from airflow_multicloud.core.failover.provenance import Provenance as Provenance
from airflow_multicloud.core.failover.provenance import TreeProvenance as TreeProvenance
from airflow_multicloud.core.replication.closing import (
    ReplicationFailedError as ReplicationFailedError,
)
from airflow_multicloud.core.replication.history import Run as Run
from airflow_multicloud.core.replication.options import CompareAttributes as CompareAttributes
from airflow_multicloud.core.replication.options import ContentDigest as ContentDigest
from airflow_multicloud.core.replication.options import ObjectFilter as ObjectFilter
from airflow_multicloud.core.replication.options import OnError as OnError
from airflow_multicloud.core.replication.options import ReplicationOptions as ReplicationOptions
from airflow_multicloud.core.replication.plans import Plan as Plan
from airflow_multicloud.core.replication.report import ReplicationReport as ReplicationReport
from airflow_multicloud.core.replication.status import ReplicaStatus as ReplicaStatus
from airflow_multicloud.core.replication.verification import Depth as Depth
from airflow_multicloud.core.replication.verification import (
    VerificationReport as VerificationReport,
)
from airflow_multicloud.core.upload import PlannedUpload as PlannedUpload
from airflow_multicloud.core.upload import Uploaded as Uploaded
