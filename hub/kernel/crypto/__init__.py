"""Cryptography of the hub: what is derived from the master key, the signing keys, and canonical JSON."""
