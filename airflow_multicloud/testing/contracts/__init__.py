"""Behaviour suites: what every implementation of a port must do, as pytest classes.

One package per service. A test module subclasses the contract classes; its ``conftest.py``
says which stores they run against::

    from airflow_multicloud.testing.contracts.object_store import rigs

    RIGS = (rigs.RigSpec(name="mine", cloud="mine", hook=Hook, open=lambda request: Hook("mine")),)

    def pytest_generate_tests(metafunc):
        rigs.parametrize_rigs(metafunc, RIGS)

    @pytest.fixture
    def rig(request):
        return rigs.open_rig(request)

A class runs on those rigs whose hook has the optional capabilities that its ``needs`` names.
"""
