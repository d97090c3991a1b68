"""Cloud Monitoring on loopback: custom metrics are written and read.

``CreateTimeSeries`` and ``ListTimeSeries``, and the descriptors, which a first write makes. Rules
are those of the API's own reference (``google/monitoring/v3``, ``google/api/metric.proto``,
``distribution.proto``) and of https://cloud.google.com/monitoring/quotas. What is wrong with one
series costs that series alone: the others are written, and the answer is an error whose text lists
the places of those that were not (as Google words it) and whose details are a
``CreateTimeSeriesSummary``.

Decided here, because no page says it: "one point each 5 seconds" is held against the points' own
times, not against when they arrive; and a unit that differs from the descriptor's is refused.

Of filters it knows comparisons that are joined by AND (see :mod:`.filters`) and refuses all others,
as it refuses aggregation. Served by :mod:`airflow_multicloud.testing.local_clouds.gcp.telemetry`.
"""
