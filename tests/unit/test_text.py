"""What others wrote can't forge a log line or command a terminal."""

import pytest

from airflow_multicloud.text import printable


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("plain key/ä 日本.csv", "plain key/ä 日本.csv"),
        ("a\nERROR forged", "a\\nERROR forged"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\x9b2J", "\\x9b2J"),
        ("\r\t\0\x7f", "\\r\\t\\x00\\x7f"),
        ("txt\u202efdp.exe", "txt\\u202efdp.exe"),
        ("a\u2028b\u2029c", "a\\u2028b\\u2029c"),
        ("half \udc80", "half \\udc80"),
        ("wide\u3000space", "wide\u3000space"),
        (r"back\slash", r"back\slash"),
    ],
)
def test_what_does_not_show_is_escaped_once(given: str, shown: str) -> None:
    assert printable(given) == shown
    assert printable(printable(given)) == shown
