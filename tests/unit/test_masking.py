"""What Airflow's masker is told of a secret's value."""

from __future__ import annotations

import base64
import json

import pytest

from airflow_multicloud.adapters.masking import MOST_PARTS, forms_of, mask_value


@pytest.mark.parametrize(
    ("value", "hidden"),
    [
        ("hunter2hunter2", {"hunter2hunter2"}),
        ('{"password": "pa55-word", "deep": [{"key": "other-key"}]}', {"pa55-word", "other-key"}),
        ('"a JSON text"', {"a JSON text"}),
        ("-----BEGIN-----\nabcdefgh\n-----END-----\n", {"abcdefgh", "-----BEGIN-----"}),
        ('{"pem": "line-one\\nline-two"}', {"line-one", "line-two"}),
        ("tab\tbed", {"tab\\tbed"}),
        ("  in spaces\n", {"in spaces"}),
    ],
)
def test_forms_and_parts(value, hidden):
    forms = forms_of(value.encode())
    assert forms[0] == value
    assert hidden <= set(forms)
    assert base64.b64encode(value.encode()).decode() in forms


def test_bytes_are_told_as_they_are_shown():
    assert forms_of(b"\xff\x00\x01\x02\x03") == (
        base64.b64encode(b"\xff\x00\x01\x02\x03").decode(),
    )


def test_a_short_value_is_the_maskers_to_judge_and_short_parts_are_not_told():
    assert forms_of(b"abc")[0] == "abc"
    assert "u" not in forms_of(b'{"user": "u", "port": 5432}')
    assert "true" not in forms_of(b'{"flag": "true"}')


def test_parts_have_a_bound():
    value = json.dumps([f"part-{number}" for number in range(1000)])
    assert len(forms_of(value.encode())) <= MOST_PARTS


def test_deep_json_is_a_text():
    assert forms_of(b"[" * 60_000)[0] == "[" * 60_000


def test_an_empty_value_is_not_told(monkeypatch):
    told = []
    monkeypatch.setattr("airflow.providers.common.compat.sdk.mask_secret", told.append)
    mask_value(b"")
    assert told == []
    mask_value(b"something")
    assert told[0][0] == "something"
