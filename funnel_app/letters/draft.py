"""What is judged, and the verdict: plain data, which goes to another process and comes back."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from funnel_app.letters.letter import Envelope
from funnel_app.letters.problem import Problem
from funnel_app.letters.render import Parts


@dataclass(frozen=True)
class Sample:
    """A made-up reader: a name, the value of every variable, and the envelope of their letter."""

    name: str
    values: Mapping[str, object]
    envelope: Envelope


@dataclass(frozen=True)
class Draft:
    """A template as it was read, and what it is judged by.

    blocks is what was typed with looks and links, as plain data; layout is what a letter of words is put into.
    """

    subject: str
    html: str
    status: str
    known: Collection[str]
    samples: tuple[Sample, ...] = ()
    blocks: tuple[Mapping[str, Any], ...] = ()
    layout: str = "[body]"


@dataclass(frozen=True)
class Verdict:
    """Everything wrong with a template, and its parts made ready; None where one of the problems blocks.

    read_as says how the text was read, html is what was meant by it.
    """

    problems: tuple[Problem, ...]
    parts: Parts | None
    read_as: str = ""
    html: str = ""
