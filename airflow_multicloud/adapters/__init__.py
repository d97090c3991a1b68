"""What authors of clouds share: answers that can't be trusted, bodies, errors, exports, paging.

A cloud imports only :mod:`airflow_multicloud.ports`, this package,
:mod:`airflow_multicloud.errors` and, in its tests, :mod:`airflow_multicloud.testing`.
"""
