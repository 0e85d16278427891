"""Leftover styles: what inlining would lose, so that it stays in the head.

Inlined declarations win over the head's. So what stays becomes `!important`, but only where it won anyway.
"""

from collections.abc import Collection, Iterable, Iterator

from funnel_app.letters.styles.cascade import Cascade, Page
from funnel_app.letters.styles.stylesheet import Group, Rule, Selector, Sheet
from funnel_app.letters.tags import Protected


class Leftover:
    """A page's leftover styles: what inlining loses of its sheets, and all of the sheets that are not inlined."""

    def __init__(self, protected: Protected, inlined: Iterable[Sheet], held: Iterable[Sheet]) -> None:
        self._page = Page(protected)
        self._cascade = Cascade(self._page, inlined, held)

    def css(self, sheet: Sheet, *, held: bool) -> str:
        """Return what of a sheet goes into the head."""
        return "\n".join(self._written(sheet, held=held))

    def firm_css(self) -> str:
        """Return rules to inline after the others, once `css()` is known, so that what stays does not win over them."""
        firm = ((claim.selector, claim.declared) for claim in self._cascade.firm if claim.selector is not None)
        return "\n".join(sorted(f"{selector}{{{declared.written(important=True)}}}" for selector, declared in firm))

    def firm_style(self, style: str) -> str:
        """Return what to append to a style attribute, so that what stays does not win over it."""
        firm = (claim.declared for claim in self._cascade.firm if claim.style == style)
        return "".join(sorted(f";{declared.written(important=True)}" for declared in firm))

    def _written(self, rules: Collection[Rule | Group], *, held: bool) -> Iterator[str]:
        for rule in rules:
            if isinstance(rule, Group):
                inside = "\n".join(self._written(rule.rules, held=True))
                yield f"{rule.head}{{\n{inside}\n}}"
            elif not rule.selectors:
                yield rule.source
            elif staying := [each for each in rule.selectors if held or self._page.stays(each)]:
                yield self._rule(rule, staying, held=held)

    def _rule(self, rule: Rule, staying: list[Selector], *, held: bool) -> str:
        if not rule.declarations:
            return rule.source
        selectors: dict[str, list[str]] = {}
        for each in staying:
            selectors.setdefault(self._declared(rule, each, held=held), []).append(each.text)
        return "\n".join(f"{','.join(texts)}{{{declared}}}" for declared, texts in selectors.items())

    def _declared(self, rule: Rule, selector: Selector, *, held: bool) -> str:
        """Return a rule's declarations for one of its selectors, as strong as each must be."""
        strong = held or self._page.is_wanted(selector)
        return ";".join(
            each.written(important=strong and self._cascade.needs_strength(rule, selector, each))
            for each in rule.declarations
        )
