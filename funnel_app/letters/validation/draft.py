"""Drafts and verdicts: plain data, exchanged with the judging process."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from funnel_app.letters.letter import Envelope
from funnel_app.letters.problem import Problem
from funnel_app.letters.render import Parts


@dataclass(frozen=True)
class Sample:
    """A made-up reader: name, variable values, and the envelope of the letter."""

    name: str
    values: Mapping[str, object]
    envelope: Envelope


@dataclass(frozen=True)
class Draft:
    """A template as it was read, and what it is judged by.

    `blocks` is rich content as plain data; `layout` is the page around a letter written as text.
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
    """All problems of a template, and its prepared parts; None if a problem blocks it.

    `read_as` says how the text was interpreted, `html` is the resulting HTML.
    """

    problems: tuple[Problem, ...]
    parts: Parts | None
    read_as: str = ""
    html: str = ""
