"""What every cost hook must do; the exports it runs against are its rigs."""

import pytest

pytest.register_assert_rewrite(*(f"{__name__}.{module}" for module in ("capabilities", "exports")))
