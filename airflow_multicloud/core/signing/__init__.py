"""Signatures that whoever may write beside them can't make: Ed25519, in DSSE envelopes.

What is signed is an in-toto statement: it names a file and its SHA-256, and says what kind of
record that is. Other programs read both forms: github.com/secure-systems-lab/dsse (protocol 1.0)
and github.com/in-toto/attestation (statement v1).
"""

from airflow_multicloud.core.signing.envelopes import PredicateType, Statement
from airflow_multicloud.core.signing.keys import MAX_KEY_FILE, PublicKeys, Signer

__all__ = ["MAX_KEY_FILE", "PredicateType", "PublicKeys", "Signer", "Statement"]
