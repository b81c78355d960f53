"""Proposes a manifest and an evidence type from what an agency has: every guess is marked, none is final."""
