"""Behaviour suites: what every implementation of a port must do, as pytest classes.

A test module subclasses the contract classes; its ``conftest.py`` says which stores they run
against::

    from airflow_multicloud.testing.contracts.rigs import RigSpec, open_rig, parametrize_rigs

    RIGS = (RigSpec(name="mine", cloud="mine", hook=Hook, open=lambda request: Hook("mine")),)

    def pytest_generate_tests(metafunc):
        parametrize_rigs(metafunc, RIGS)

    @pytest.fixture
    def rig(request):
        return open_rig(request)

A class runs on those rigs whose hook has the optional powers that its ``needs`` names.
"""

import pytest

pytest.register_assert_rewrite(
    *(
        f"{__name__}.{module}"
        for module in (
            "attributes",
            "awkward_keys",
            "checked_reads",
            "conditions",
            "cost",
            "cost_powers",
            "object_store",
            "optional_powers",
            "parts",
        )
    )
)
