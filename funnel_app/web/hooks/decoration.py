"""Optional fields: none of them refuses a call; what was dropped or corrected is recorded."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

from marshmallow import EXCLUDE, Schema, ValidationError, pre_load

from funnel_app.rules.typed import says_nothing

LEFT_OUT = "left_out"
SPAM = "Holds a link or a number to call: names go into our letters and must not carry one."
CORRECTED = "Corrected, or cut to what fits."
DROPPED = "Left out: "
SAYS_NOTHING = f"{DROPPED}it says nothing."


class DecoratedSchema(Schema):
    """A schema that drops invalid fields, except for the needed ones.

    `needed` names those as the payload does. The result says under `left_out` what happened to which field.
    """

    needed: ClassVar[frozenset[str]] = frozenset()

    class Meta:
        """Unknown fields are kept in the record and ignored."""

        unknown = EXCLUDE

    @pre_load
    def leave_out_blanks(self, data: Any, **kwargs: Any) -> Any:
        """Treat a text without content as missing: an empty form field, or `undefined`."""
        if not isinstance(data, dict):
            return data
        return {name: value for name, value in data.items() if not isinstance(value, str) or self._says(name, value)}

    def _says(self, key: str, text: str) -> bool:
        # NaN is a failed calculation; fields of names recognise it themselves.
        needs_a_word = key in self._by_key and self.fields[self._by_key[key]].required
        return bool(text.strip()) and (needs_a_word or text.strip().casefold() == "nan" or not says_nothing(text))

    def load(self, data: Any, **kwargs: Any) -> Any:
        """Return the valid payload; ValidationError names only what has to be fixed."""
        try:
            return self._noted(data, super().load(data, **kwargs), {})
        except ValidationError as fault:
            faults = dict(fault.messages_dict)
        refused = {name: words for name, words in faults.items() if self._refuses(name, words)}
        if refused or not isinstance(data, Mapping):
            raise ValidationError(refused or faults)
        usable = {name: value for name, value in data.items() if name not in faults}
        return self._noted(usable, super().load(usable, **kwargs), {name: _left_out(faults[name]) for name in faults})

    def _refuses(self, key: str, words: object) -> bool:
        return key in self.needed or key not in self._by_key or words == [SPAM]

    def _is_address(self, name: str) -> bool:
        return self.fields[name].metadata.get("format") == "email"

    @cached_property
    def _by_key(self) -> dict[str, str]:
        """Return the loaded name of each field of a payload."""
        return {str(field.data_key or name): name for name, field in self.fields.items()}

    def _noted(self, data: Any, loaded: dict[str, Any], notes: dict[str, list[str]]) -> dict[str, Any]:
        for key, name in self._by_key.items():
            taken = loaded.get(name)
            if isinstance(taken, dict):
                notes |= within(key, taken.pop(LEFT_OUT, {}))
            elif key in data and not self._is_address(name) and (note := _note(data[key], taken)) is not None:
                notes[key] = [note]
        return {**loaded, LEFT_OUT: notes}


def _note(given: object, taken: object) -> str | None:
    if taken is None:
        return None if given is None or not str(given).strip() else SAYS_NOTHING
    changed = isinstance(taken, str) and str(given).strip() != taken
    return CORRECTED if changed or (isinstance(taken, list) and isinstance(given, list) and given != taken) else None


def _left_out(words: object) -> list[str]:
    said = words.get("_schema", words) if isinstance(words, dict) else words
    return [f"{DROPPED}{' '.join(map(str, said)) if isinstance(said, list) else said}"]


def missing(key: str, notes: Mapping[str, list[str]]) -> list[str]:
    """Return why a usually optional field is missing and needed now."""
    return [words.removeprefix(DROPPED) for words in notes.get(key, ["Missing data for required field."])]


def within(part: str, notes: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Return what happened to the fields of a nested payload, named from outside."""
    return {f"{part}.{name}": words for name, words in notes.items()}
