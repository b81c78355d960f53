"""What an agency declares about its service, read whole from TOML or refused with every mistake."""

from connectors.manifest.document import read
from connectors.manifest.model import Manifest, Mistake

__all__ = ["Manifest", "Mistake", "read"]
