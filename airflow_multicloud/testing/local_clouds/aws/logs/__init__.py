"""CloudWatch Logs, behind :mod:`..telemetry`.

moto keeps groups, streams and events, and answers what is not here: ``PutLogEvents``
(:mod:`.puts`), and ``FilterLogEvents`` (:mod:`.questions`) with filter patterns for JSON, regular
expressions and terms (:mod:`.patterns`). A record ``{"events": n}`` seeded as ``logs_pages`` makes
the pages of ``FilterLogEvents`` so small; each is of that many events that were looked at, so some
are empty.
"""
