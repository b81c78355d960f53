"""Descriptions in both languages, English first, as they stand in the contract."""

from __future__ import annotations


def both(english: str, chinese: str) -> str:
    """One description that says the same in English and Chinese."""
    return f"{english}\n\n{chinese}"
