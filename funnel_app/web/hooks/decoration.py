"""Optional fields: none of them refuses a call; what was dropped or corrected is recorded."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, fields
from marshmallow import missing as missing_
from marshmallow.exceptions import SCHEMA

from funnel_app.rules.people.typed_text import says_nothing

LEFT_OUT = "left_out"
SPAM = "Holds a link or a number to call: names go into our letters and must not carry one."
CORRECTED = "Corrected, or cut to what fits."
DROPPED = "Left out: "
SAYS_NOTHING = f"{DROPPED}it says nothing."


class Judging(fields.String):
    """A text whose field knows by itself what says nothing."""


@dataclass(frozen=True)
class _Known:
    """A field, and what is the same of it for all payloads: asked once.

    `judges` says that every text is for the field itself to judge, `is_cleaned` that a changed text is worth a note.
    """

    field: fields.Field[Any]
    name: str
    judges: bool
    is_nested: bool
    is_cleaned: bool

    @classmethod
    def of(cls, known: fields.Field[Any]) -> "_Known":
        """Return what there is to know of a field."""
        judges, is_email = known.required or isinstance(known, Judging), known.metadata.get("format") == "email"
        return cls(known, str(known.name), judges, isinstance(known, fields.Nested), not is_email)


@dataclass(frozen=True)
class _Read:
    """What was read of a payload: values by the fields' names, faults and notes by the payload's."""

    values: dict[str, Any] = field(default_factory=dict)
    faults: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)


class DecoratedSchema(Schema):
    """A schema that drops invalid fields, except for the needed ones.

    `needed` names those as the payload does; the others must be optional. The result says under `left_out` what
    happened to which field. Fields and their rules are marshmallow's; that each is looked at once, and a payload not
    read again for each fault, is done here.
    """

    needed: ClassVar[frozenset[str]] = frozenset()

    def load(self, data: Any, **kwargs: Any) -> Any:
        """Return the valid payload; ValidationError names only what has to be fixed. Unknown fields are ignored."""
        if not isinstance(data, Mapping):
            raise ValidationError({SCHEMA: [self.error_messages["type"]]})
        payload, read = self.unwrap(data), _Read()
        for key, given in payload.items():
            if key in self._by_key:
                self._take(read, key, given)
        for key in self._missed - payload.keys():
            self._take(read, key, missing_)
        if read.faults:
            self._drop(read)
        self.check(read.values)
        read.values[LEFT_OUT] = read.notes
        return read.values

    def unwrap(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the payload whose fields the schema has, of what was sent."""
        return data

    def check(self, values: dict[str, Any]) -> None:
        """Raise ValidationError, with words by field, if valid fields do not fit together."""

    def _take(self, read: _Read, key: str, given: Any) -> None:
        known = self._by_key[key]
        bare = given.strip() if isinstance(given, str) else None
        if bare is not None and not (bare and (known.judges or _says(bare))):
            if bare:
                read.notes[key] = [SAYS_NOTHING]
            given = missing_
        if given is missing_ and key not in self._missed:
            return
        try:
            taken = known.field.deserialize(given, key)
        except ValidationError as fault:
            read.faults[key] = fault.messages
            return
        read.values[known.name] = taken
        if known.is_nested and isinstance(taken, dict):
            read.notes.update(within(key, taken.pop(LEFT_OUT)))
        elif known.is_cleaned and (note := _note(given, bare, taken)) is not None:
            read.notes[key] = [note]

    def _drop(self, read: _Read) -> None:
        """Note the faults; ValidationError if one of them refuses the payload."""
        refusing = self.needed | self._missed
        if refused := {key: words for key, words in read.faults.items() if key in refusing or words == [SPAM]}:
            raise ValidationError(refused)
        read.notes.update({key: _left_out(words) for key, words in read.faults.items()})

    @cached_property
    def _by_key(self) -> dict[str, _Known]:
        """Return the fields by their names in a payload."""
        return {str(each.data_key or name): _Known.of(each) for name, each in self.fields.items()}

    @cached_property
    def _missed(self) -> frozenset[str]:
        """Return which fields of a payload matter where they are not there: required ones, and those with a default."""
        known = self._by_key.items()
        return frozenset(k for k, each in known if each.field.required or each.field.load_default is not missing_)


def _says(bare: str) -> bool:
    """Say whether a form's text is more than an empty field's."""
    # NaN is a sum that failed where a number was meant.
    return not says_nothing(bare) or bare.casefold() == "nan"


def _note(given: object, bare: str | None, taken: object) -> str | None:
    if isinstance(taken, str):
        return CORRECTED if (str(given).strip() if bare is None else bare) != taken else None
    if taken is None:
        return None if given is None else SAYS_NOTHING
    return CORRECTED if isinstance(taken, list) and isinstance(given, list) and given != taken else None


def _left_out(words: object) -> list[str]:
    said = words.get(SCHEMA, words) if isinstance(words, dict) else words
    return [f"{DROPPED}{' '.join(map(str, said)) if isinstance(said, list) else said}"]


def missing(key: str, notes: Mapping[str, list[str]]) -> list[str]:
    """Return why a usually optional field is missing and needed now."""
    return [words.removeprefix(DROPPED) for words in notes.get(key, ["Missing data for required field."])]


def within(part: str, notes: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Return what happened to the fields of a nested payload, named from outside."""
    return {f"{part}.{name}": words for name, words in notes.items()}
