"""Everything that this cloud uses of other libraries' private parts, in one place.

Each use is tested in ``tests/unit/clouds/test_gcp_seams.py``, which says what an upgrade changed.
"""

from __future__ import annotations

from airflow.providers.google.common.hooks.base_google import GoogleBaseHook


def email_of(hook: GoogleBaseHook) -> str:
    """The e-mail address that the hook's credentials belong to.

    Airflow's ``GoogleBaseHook._get_credentials_email``: it knows service accounts, those of a
    machine, impersonated ones and users, for whom Google has to be asked. google-auth has no such
    call, and Airflow no public one.
    """
    return hook._get_credentials_email  # noqa: SLF001 (see above)
