"""The small language filled in: what each filter and question makes of a value, and where it ends."""

import pytest
from jinja2 import TemplateSyntaxError

from funnel_app.letters.engine import MOST_LETTER_CHARS, fill
from funnel_app.letters.validation.reach import is_on_the_web, is_only_ours

VALUES = {
    "n": 1234.5, "one": 1, "two": 2.0, "half": 0.005, "yes": True, "no": False, "empty": "", "zero": 0,
    "name": "ana roy",
    "days": ["Monday", "Friday"], "pair": ("a", "b"), "link": "a b&c/d",
}  # fmt: skip


@pytest.mark.parametrize(
    ("source", "read"),
    [
        ("{{ n }} {{ two }} {{ half }}", "1234.5 2 0.01"),
        ("{{ yes }} {{ no }} {{ days }} {{ pair }}", "yes no Monday, Friday a, b"),
        ("{{ n|money }} {{ 0|money }} {{ '48500.49'|money }}", "$1,234 $0 $48,500"),
        ("place{{ one|pluralize }} place{{ two|pluralize }} place{{ zero|pluralize }}", "place places places"),
        ("cit{{ one|pluralize('y,ies') }} cit{{ '2'|pluralize('y,ies') }}", "city cities"),
        ("{{ name|title }} {{ name|upper }} {{ name|capitalize }} {{ ' a '|trim }}|", "Ana Roy ANA ROY Ana roy a|"),
        ("{{ days|join(' and ') }} {{ days|length }} {{ link|urlencode }}", "Monday and Friday 2 a%20b%26c/d"),
        ("{{ n|round }} {{ n|round(1) }} {{ n|int }} {{ 'x'|int(7) }}", "1234 1234.5 1234 7"),
        ("{% if zero is known and no is known %}a{% endif %}{% if empty is known or gone is known %}b{% endif %}", "a"),
        ("{% if gone is defined %}a{% else %}b{% endif %} {{ gone|default('c') }}", "b c"),
        ("{{ empty|default('d', true) }}{{ empty|default('e') }}", "d"),
        ("a\n", "a\n"),
    ],
)
def test_a_value_reads_as_people_write_it(source, read):
    assert fill(source, VALUES, html=False) == read


def test_in_html_a_value_is_escaped_and_stands_between_its_marks():
    assert (
        fill("<p>{{ x }}{{ y }}</p>", {"x": "<b>", "y": True}, html=True)
        == "<p>\ufdd0&lt;b&gt;\ufdd1\ufdd0yes\ufdd1</p>"
    )


def test_what_is_outside_the_language_is_never_compiled():
    with pytest.raises(TemplateSyntaxError, match="it uses arithmetic"):
        fill("{{ 9 ** 9 ** 9 }}", {}, html=False)


def test_a_letter_that_grows_past_every_measure_is_given_up():
    with pytest.raises(ValueError, match="it grows past 1,000,000 characters"):
        fill("{{ x }}" * 3, {"x": "a" * (MOST_LETTER_CHARS // 2)}, html=False)
    assert len(fill("{{ x }}" * 2, {"x": "a" * (MOST_LETTER_CHARS // 2)}, html=False)) == MOST_LETTER_CHARS


@pytest.mark.parametrize(
    ("address", "web", "ours"),
    [
        ("https://salon.example/a", True, False),
        ("HTTP://a.b.local./x", True, True),
        ("https://local.salon.example", True, False),
        ("http://localhost:3000", True, True),
        ("http://127.0.0.1", True, True),
        ("http://9.9.9.9", True, False),
        ("https://[fd00::7]/x", True, True),
        ("http://[::1", True, False),
        ("mailto:a@localhost", False, False),
        ("https://", False, False),
        ("nas/logo.png", False, False),
    ],
)
def test_an_address_is_everybodys_or_only_ours(address, web, ours):
    assert (is_on_the_web(address), is_only_ours(address)) == (web, ours)
