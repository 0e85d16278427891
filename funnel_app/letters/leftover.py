"""What inlining would lose of a template's styles, so that it can stay in the head.

An inlined declaration wins over the head's. So what stays becomes `!important`, but only where it won anyway.
"""

from collections.abc import Collection, Iterable, Iterator

from funnel_app.letters.cascade import Cascade, Page
from funnel_app.letters.stylesheet import Group, Rule, Selector, Sheet
from funnel_app.letters.tags import Protected


class Leftover:
    """The styles of one page: of its inlined sheets what inlining loses, of those that are held back everything."""

    def __init__(self, protected: Protected, inlined: Iterable[Sheet], held: Iterable[Sheet]) -> None:
        self._page = Page(protected)
        self._cascade = Cascade(self._page, inlined, held)

    def css(self, sheet: Sheet, *, held: bool) -> str:
        """Return what of a sheet goes into the head."""
        return "\n".join(self._written(sheet, held=held))

    def firm_css(self) -> str:
        """Return rules to be inlined after the others, once `css()` is known: what stays must not win over them."""
        firm = ((claim.selector, claim.declared) for claim in self._cascade.firm if claim.selector is not None)
        return "\n".join(sorted(f"{selector}{{{declared.written(important=True)}}}" for selector, declared in firm))

    def firm_style(self, style: str) -> str:
        """Return what a style attribute needs at its end, so that what stays does not win over it."""
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
        """Return what a rule declares of one of its selectors, as strong as it must be there."""
        strong = held or self._page.is_wanted(selector)
        return ";".join(
            each.written(important=strong and self._cascade.needs_strength(rule, selector, each))
            for each in rule.declarations
        )
