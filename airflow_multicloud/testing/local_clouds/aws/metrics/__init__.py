"""CloudWatch metrics, behind :mod:`..telemetry`.

``PutMetricData`` (:mod:`.puts`), ``GetMetricData``, ``GetMetricStatistics`` and ``ListMetrics``
(:mod:`.questions`); metric maths and Metrics Insights are refused. A record ``{"lag_s": n}`` seeded
as ``metrics_listing`` keeps series out of ``ListMetrics`` for so many seconds after their first
point (CloudWatch does for up to 15 minutes), and ``{"points": n}`` as ``metrics_pages`` makes the
pages of ``GetMetricData`` so small.
"""
