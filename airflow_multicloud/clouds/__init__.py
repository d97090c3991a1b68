"""The clouds this package brings: one folder each, one module per service in it."""

from airflow_multicloud.adapters import sdk_logs as _sdk_logs

_sdk_logs.guard()  # Before any SDK is used: every hook is imported by way of this package.
