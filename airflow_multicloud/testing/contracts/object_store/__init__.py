"""What every object store must do; the stores it runs against are its rigs."""

import pytest

pytest.register_assert_rewrite(
    *(
        f"{__name__}.{module}"
        for module in (
            "attributes",
            "awkward_keys",
            "capabilities",
            "checked_reads",
            "conditions",
            "objects",
            "parts",
        )
    )
)
