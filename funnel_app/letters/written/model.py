"""A letter as it was written, before it is HTML: blocks that hold runs of words."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a block is."""

    PARAGRAPH = "paragraph"
    HEADING = "heading"
    BULLET = "bullet"
    NUMBER = "number"
    QUOTE = "quote"
    NOTE = "note"
    CODE = "code"
    IMAGE = "image"
    DIVIDER = "divider"


@dataclass(frozen=True)
class Run:
    """Words in one look, and where they lead."""

    text: str
    bold: bool = False
    italic: bool = False
    strike: bool = False
    underline: bool = False
    code: bool = False
    href: str = ""


@dataclass(frozen=True)
class Block:
    """One block; level is a heading's, or the number that a numbered list begins with; address is a picture's."""

    kind: Kind
    runs: tuple[Run, ...] = ()
    children: tuple["Block", ...] = ()
    level: int = 1
    address: str = ""

    @property
    def text(self) -> str:
        """Its words without their looks."""
        return "".join(run.text for run in self.runs)
