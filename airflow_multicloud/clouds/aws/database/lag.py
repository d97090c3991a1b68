"""How far a replica is behind, as CloudWatch was told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.database.client import DatabaseBase
from airflow_multicloud.clouds.aws.database.errors import translated
from airflow_multicloud.errors import DatabaseError
from airflow_multicloud.ports.database import DatabaseInstance, ReplicaLag

#: In seconds, each minute: "Amazon CloudWatch instance-level metrics for Amazon RDS" of the guide.
_NAMESPACE, _METRIC = "AWS/RDS", "ReplicaLag"
_SOURCE: Final = f"{_NAMESPACE} {_METRIC}"
#: How old a measurement may be; CloudWatch shows one within minutes.
_OLDEST = timedelta(minutes=30)
_PERIOD_S = 60


class Lags(DatabaseBase):
    """What :attr:`DatabaseInstance.lag` is."""

    def _lag(self, replica: DatabaseInstance) -> ReplicaLag:
        """The newest measurement of a replica.

        A negative one says that it does not receive anything, and not how far behind it is.

        :raises DatabaseError: when CloudWatch can't be asked.
        """
        now = datetime.now(UTC)
        doing = f"reading the lag of {replica.name} ({_SOURCE})"
        with translated(doing):
            client = self._client_of("cloudwatch", str(replica.ref.region))
            answer = client.get_metric_data(
                StartTime=now - _OLDEST,
                # What is measured in this moment belongs to it.
                EndTime=now + timedelta(seconds=_PERIOD_S),
                ScanBy="TimestampDescending",
                MaxDatapoints=1,
                MetricDataQueries=[
                    {
                        "Id": "lag",
                        "MetricStat": {
                            "Metric": {
                                "Namespace": _NAMESPACE,
                                "MetricName": _METRIC,
                                "Dimensions": [
                                    {"Name": "DBInstanceIdentifier", "Value": replica.name}
                                ],
                            },
                            "Period": _PERIOD_S,
                            "Stat": "Maximum",
                        },
                    }
                ],
            )
        with well_formed(doing, NAME, area=DatabaseError):
            (result,) = answer["MetricDataResults"]
            found = list(zip(result["Timestamps"], result["Values"], strict=True))[:1]
        for moment, seconds in found:
            if seconds >= 0:
                return ReplicaLag(
                    value=timedelta(seconds=seconds),
                    measured_at=moment.astimezone(UTC),
                    source=_SOURCE,
                )
        return ReplicaLag(value=None, measured_at=None, source=_SOURCE)
