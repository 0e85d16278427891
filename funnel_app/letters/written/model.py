"""Written letters before they are HTML: blocks of runs of text."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The kind of a block."""

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
    """Text with one formatting, and its link."""

    text: str
    bold: bool = False
    italic: bool = False
    strike: bool = False
    underline: bool = False
    code: bool = False
    href: str = ""


@dataclass(frozen=True)
class Block:
    """One block; level is a heading's, or the first number of a numbered list; address is an image's."""

    kind: Kind
    runs: tuple[Run, ...] = ()
    children: tuple["Block", ...] = ()
    level: int = 1
    address: str = ""

    @property
    def text(self) -> str:
        """Its text without formatting."""
        return "".join(run.text for run in self.runs)
