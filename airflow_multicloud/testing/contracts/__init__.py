"""Behaviour suites: what every implementation of a port must do, as pytest classes.

One package per service: its face has the contract classes, its ``rigs`` says how to run them. A
test module subclasses the classes; its ``conftest.py`` says which stores they run against::

    from airflow_multicloud.testing.contracts.object_store.rigs import RigSpec, parametrize_rigs
    from airflow_multicloud.testing.contracts.object_store.rigs import rig
    from airflow_multicloud.testing.contracts.rigs import connected

    RIGS = (
        RigSpec(name="mine", cloud="mine", hook=Hook, open=connected(ObjectStore, "my_conn_id")),
    )

    def pytest_generate_tests(metafunc):
        parametrize_rigs(metafunc, RIGS)

A class runs on those rigs whose hook has the optional capabilities that its ``needs`` names.
"""
