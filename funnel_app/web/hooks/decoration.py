"""Optional fields: none of them refuses a call; what was dropped or corrected is recorded."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, ClassVar

from marshmallow import EXCLUDE, Schema, ValidationError, fields
from marshmallow import missing as missing_

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

    def load(self, data: Any, **kwargs: Any) -> Any:
        """Return the valid payload; ValidationError names only what has to be fixed."""
        try:
            return self._noted(data, self._loaded(data, kwargs), {})
        except ValidationError as fault:
            faults = dict(fault.messages_dict)
        refused = {name: words for name, words in faults.items() if self._refuses(name, words)}
        if refused or not isinstance(data, Mapping):
            raise ValidationError(refused or faults)
        usable = {name: value for name, value in data.items() if name not in faults}
        notes = {name: _left_out(faults[name]) for name in faults}
        return self._noted(usable, self._loaded(usable, kwargs), notes)

    def _loaded(self, data: Any, options: dict[str, Any]) -> Any:
        """Return what marshmallow reads of a payload, without the texts that say nothing: a form's empty fields.

        Where no field is missed, those that are not there are not looked at: most calls name half of them.
        """
        if not isinstance(data, dict):
            return super().load(data, **options)
        said = {key: value for key, value in data.items() if not isinstance(value, str) or self._says(key, value)}
        return super().load(said, **{**options, "partial": self._missed <= said.keys()})

    def _says(self, key: str, text: str) -> bool:
        bare = text.strip()
        if not bare or key in self._required:
            return bool(bare)
        # NaN is a sum that failed where a number was meant; a name's own field knows that it is none.
        return not says_nothing(bare) or bare.casefold() == "nan"

    def _refuses(self, key: str, words: object) -> bool:
        return key in self.needed or key not in self._by_key or words == [SPAM]

    @cached_property
    def _by_key(self) -> dict[str, str]:
        """Return the loaded name of each field of a payload."""
        return {str(field.data_key or name): name for name, field in self.fields.items()}

    def _keys(self, which: Callable[[fields.Field[Any]], object]) -> frozenset[str]:
        return frozenset(key for key, name in self._by_key.items() if which(self.fields[name]))

    @cached_property
    def _required(self) -> frozenset[str]:
        return self._keys(lambda field: field.required)

    @cached_property
    def _missed(self) -> frozenset[str]:
        """Return which fields of a payload matter where they are not there: required ones, and those with a default."""
        return self._required | self._keys(lambda field: field.load_default is not missing_)

    @cached_property
    def _addresses(self) -> frozenset[str]:
        return self._keys(lambda field: field.metadata.get("format") == "email")

    def _noted(self, data: Any, loaded: dict[str, Any], notes: dict[str, list[str]]) -> dict[str, Any]:
        for key, given in data.items():
            taken = loaded.get(self._by_key.get(key, ""))
            if isinstance(taken, dict):
                notes |= within(key, taken.pop(LEFT_OUT, {}))
            elif key in self._by_key and key not in self._addresses and (note := _note(given, taken)) is not None:
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
