"""Registry: all campaigns of a process, and everything derived from their files."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path

from funnel_app.campaigns.called import find_called
from funnel_app.campaigns.canary import CANARY, canary_of
from funnel_app.campaigns.folders import own_files, shipped_files
from funnel_app.campaigns.incoming_calls import called_by_hook
from funnel_app.campaigns.model import Campaign, Hook, Sequence, Step
from funnel_app.campaigns.parse import CampaignError, parse
from funnel_app.campaigns.spoken import as_title


class UnknownCampaign(LookupError):
    """There is no campaign, or no sequence or hook in it, with this name."""


@dataclass(frozen=True)
class Registry:
    """All campaigns by name."""

    campaigns: Mapping[str, Campaign]

    @classmethod
    def load(cls, texts: Mapping[str, str]) -> "Registry":
        """Return the campaigns of these files; CampaignError names every fault in any of them."""
        faults: list[str] = []
        parsed: list[Campaign] = []
        for filename, text in sorted(texts.items()):
            try:
                parsed.append(parse(filename, text))
            except CampaignError as error:
                faults += error.faults
        faults += _twice("campaign", [campaign.name for campaign in parsed])
        registry = cls({campaign.name: campaign for campaign in parsed})
        faults += registry._clashes()
        faults += [f"{CANARY}: this name is taken by the internal campaign"] if CANARY in registry.campaigns else []
        if faults:
            raise CampaignError(faults)
        return registry

    def chosen(self, extra: Collection[str]) -> "Registry":
        """Return the active campaigns: all but the extra ones that no setting names. Raises CampaignError."""
        if unknown := sorted(set(extra) - set(self.campaigns)):
            there = ", ".join(self.campaigns)
            raise CampaignError(
                [f"EXTRA_CAMPAIGNS: there is no campaign {name!r}; there are {there}" for name in unknown]
            )
        return Registry({name: each for name, each in self.campaigns.items() if name in extra or not each.extra})

    def campaign(self, name: str) -> Campaign:
        """Return a campaign, or the unlisted canary; UnknownCampaign names the existing ones."""
        if name == CANARY:
            return canary_of(next(iter(self.campaigns.values())))
        if name not in self.campaigns:
            raise UnknownCampaign(f"There is no campaign {name!r}; there are {', '.join(self.campaigns)}.")
        return self.campaigns[name]

    @cached_property
    def starts(self) -> frozenset[str]:
        """The events that start a sequence."""
        return frozenset(each.starts_on for found in self.campaigns.values() for each in found.sequences.values())

    def hook(self, campaign: str, name: str) -> Hook:
        """Return a hook of a campaign's file; UnknownCampaign names the existing ones."""
        hooks = self.campaign(campaign).hooks
        if name not in hooks:
            raise UnknownCampaign(f"Campaign {campaign} opens no hook {name!r}; it opens {', '.join(hooks)}.")
        return hooks[name]

    def sequence(self, campaign: str, name: str) -> Sequence:
        """Return a sequence; UnknownCampaign names the existing ones."""
        sequences = self.campaign(campaign).sequences
        if name not in sequences:
            raise UnknownCampaign(f"Campaign {campaign} has no sequence {name!r}; it has {', '.join(sequences)}.")
        return sequences[name]

    def named(self, name: str) -> tuple[Campaign, Sequence]:
        """Return a sequence by its name, CAMPAIGN/NAME or title, in whatever case. Raises UnknownCampaign."""
        found = find_called(self._sequences, name)
        if len(found) == 1:
            return self.campaigns[found[0].campaign], found[0]
        known = [f"{campaign.name}/{key}" for campaign in self.campaigns.values() for key in campaign.sequences]
        what = "Several campaigns have" if found else "There is no"
        raise UnknownCampaign(f"{what} sequence {name}; there are {', '.join(known)}.")

    def steps(self) -> Iterator[tuple[Campaign, Sequence, Step]]:
        """Yield all steps in the order of the files; one that compares two templates comes once with each."""
        for campaign in self.campaigns.values():
            for sequence in campaign.sequences.values():
                for step in sequence.steps:
                    yield from ((campaign, sequence, replace(step, template=key)) for key in step.variants)

    def name_of(self, sequence: Sequence) -> str:
        """Return a sequence's name, prefixed with its campaign's if the name is not unique."""
        shared = sum(sequence.name in campaign.sequences for campaign in self.campaigns.values()) > 1
        return f"{sequence.campaign}/{sequence.name}" if shared else sequence.name

    def sequence_titles(self) -> dict[str, str]:
        """Return the title of every sequence by the name for `named`, in the order of the files."""
        return {self.name_of(sequence): sequence.title for sequence in self._sequences}

    def startable_titles(self) -> dict[str, str]:
        """Return the titles of the sequences that an address is enough to start: not of those about one call."""
        return {name: title for name, title in self.sequence_titles().items() if not self.named(name)[1].per_occurrence}

    def template_keys(self) -> tuple[str, ...]:
        """Return every template key, in the order of the files."""
        return tuple(step.template for _, _, step in self.steps())

    def find_template(self, key: str) -> Step | None:
        """Return the step of a template; None if no step has it."""
        return next((step for _, _, step in self.steps() if step.template == key), None)

    def title_of_email(self, key: str) -> str:
        """Return the title of a template's email; its key in words if no step has it any more.

        Of two compared templates, the first is A and the other B.
        """
        step = self.find_template(key)
        if step is None:
            return as_title(key)
        return f"{step.title} ({'AB'[step.templates.index(key)]})" if step.templates else step.title

    def title_of_sequence(self, campaign: str, name: str) -> str:
        """Return a sequence's title; its name in words if no file has it any more."""
        found = self.campaigns[campaign].sequences.get(name) if campaign in self.campaigns else None
        return found.title if found else as_title(name)

    def title_of_campaign(self, name: str) -> str:
        """Return a campaign's title; its name in words if no file has it any more."""
        return self.campaigns[name].title if name in self.campaigns else as_title(name)

    def in_titles(self, words: str, beside: str | None = None) -> str:
        """Return a text with the keys of emails, sequences, hooks and seasons replaced by their titles.

        If the email of template `beside` is already named, its text is “its text”. Keys in quotes or naming a page of
        Notion stay: people must search for them there.
        """

        def called(found: re.Match[str]) -> str:
            season, campaign, within, template, key = found.group("season", "campaign", "within", "template", "key")
            if season:
                return f"season of “{self.title_of_campaign(season)}”"
            if campaign:
                return self._within(campaign, within)
            if key == beside and template:
                return "its text"
            return f"{'the text of ' if template else ''}“{self.title_of_email(key)}”"

        return self._keys.sub(called, words)

    def _within(self, campaign: str, name: str) -> str:
        if name in self.campaigns[campaign].sequences:
            return f"“{self.title_of_sequence(campaign, name)}”"
        return f"{called_by_hook(name)} for “{self.title_of_campaign(campaign)}”"

    @cached_property
    def _keys(self) -> re.Pattern[str]:
        def one_of(names: Iterable[str]) -> str:
            # Longest first, since a name may be a prefix of another.
            return "|".join(map(re.escape, sorted(set(names), key=len, reverse=True))) or "(?!)"

        within = one_of(name for each in self.campaigns.values() for name in (*each.sequences, *each.hooks))
        placed = rf"(?<![\w/])(?P<campaign>{one_of(self.campaigns)})/(?P<within>{within})(?![\w/])"
        season = rf"\bseason of (?P<season>{one_of(self.campaigns)})\b"
        key = rf"(?P<template>template )?(?P<key>{one_of(self.template_keys())})\b"
        return re.compile(rf"{season}|{placed}|(?<!is named )(?<!answer to )(?<!“)\b{key}")

    @property
    def _sequences(self) -> Iterator[Sequence]:
        return (sequence for campaign in self.campaigns.values() for sequence in campaign.sequences.values())

    def _clashes(self) -> list[str]:
        hooks = [hook for campaign in self.campaigns.values() for hook in campaign.hooks.values()]
        return [
            *self._templates_twice(),
            *_twice("path", [path for hook in hooks for path in (hook.path, *hook.legacy_paths)]),
            *_twice("legacy id", [str(hook.legacy_id) for hook in hooks if hook.legacy_id]),
        ]

    def _templates_twice(self) -> list[str]:
        places: dict[str, list[str]] = {}
        for campaign, sequence, step in self.steps():
            places.setdefault(step.template, []).append(f"{campaign.name}.toml: {sequence.name}.steps[{step.number}]")
        return [f"template {key} is used twice: {' and '.join(at)}" for key, at in sorted(places.items()) if at[1:]]


def _twice(what: str, names: list[str]) -> list[str]:
    return [f"{what} {name} is used twice" for name in sorted({name for name in names if names.count(name) > 1})]


@cache
def load_registry(extra: tuple[str, ...] = (), folder: str | None = None) -> Registry:
    """Return the active campaigns, a folder's files included, and the extra ones named in `extra`.

    Raises CampaignError with every fault in the files, and for a name that no file has.
    """
    whole = Registry.load({**shipped_files(), **own_files(Path(folder))}) if folder else whole_registry()
    return whole.chosen(extra)


@cache
def whole_registry() -> Registry:
    """Return the campaigns of all shipped files, read once; CampaignError names every fault."""
    return Registry.load(shipped_files())
