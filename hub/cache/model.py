"""How workers speak of facts in memory."""

from __future__ import annotations

from typing import Final

CHANNEL: Final = "cache"
SCHEME: Final = "cache"  # of pseudonyms: whatever kind of key, and not linkable with the log's
