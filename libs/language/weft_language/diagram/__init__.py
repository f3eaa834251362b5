"""Pictures of a definition: SVG with a layout of our own, and Mermaid, which lays itself out. The same definition gives the same picture.

Whatever an author wrote is a text in them and nothing else.
"""

from weft_language.diagram.mermaid import mermaid
from weft_language.diagram.svg import svg

__all__ = ["mermaid", "svg"]
