"""Names of secrets: no two become one, none is lost, and plain ones stay as they are."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_multicloud.adapters.secret_names import SecretNames
from airflow_multicloud.errors import ErrorKind, SecretsError

FOLDING = SecretNames(
    cloud="azure", allowed="[0-9a-zA-Z-]", mark="--", longest=127, source="doc", folds_case=True
)
PLAIN = SecretNames(cloud="gcp", allowed="[0-9a-zA-Z_-]", mark="__", longest=255, source="doc")
WIDE = SecretNames(cloud="aws", allowed="[0-9a-zA-Z/_+=.@-]", mark="==", longest=512, source="doc")
RULES = st.sampled_from([FOLDING, PLAIN, WIDE])


@given(st.one_of(st.text(alphabet="aF2-_=d5/é", min_size=1, max_size=12), st.text()), RULES)
def test_what_is_encoded_is_read_back(name, rules):
    try:
        encoded = rules.encode(name)
    except SecretsError:
        return
    assert rules.decode(encoded) == name
    assert re.fullmatch(f"{rules.allowed}+", encoded)
    assert not rules.folds_case or encoded == encoded.lower()


@given(st.text(alphabet="aF2d5-_=", min_size=1, max_size=12), RULES)
def test_a_name_in_the_cloud_is_reached_or_said_to_be_unreachable(encoded, rules):
    if not re.fullmatch(f"{rules.allowed}+", encoded):
        return
    name = rules.decode(encoded)
    if name is not None:
        assert rules.encode(name) == (encoded.lower() if rules.folds_case else encoded)


@pytest.mark.parametrize("rules", [FOLDING, PLAIN, WIDE], ids=lambda rules: rules.cloud)
@pytest.mark.parametrize("name", ["db-password", "a", "a-1"])
def test_a_plain_name_stays(rules, name):
    assert rules.encode(name) == name


def test_examples():
    assert FOLDING.encode("airflow/A_b") == "airflow--2f--41--5fb"
    assert FOLDING.decode("Prod-DB") == "prod-db"
    assert PLAIN.decode("DB_PASSWORD") == "DB_PASSWORD"
    assert PLAIN.decode("a__5fb") is None  # "a_b" is written as it is


@pytest.mark.parametrize("name", ["", "a/" * 64, "\ud800"])
def test_what_cannot_be_had_is_refused(name):
    with pytest.raises(SecretsError) as caught:
        FOLDING.encode(name)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    assert "name:" in str(caught.value)
