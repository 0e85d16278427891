"""The validation result of a mistake, word for word: an owner acts by the sentence alone."""

import pytest

from funnel_app.letters.validation.gate import inspect

KNOWN = {"first_name", "score", "unsubscribe_url", "company_address"}
FOOT = '<p><a href="{{ unsubscribe_url }}">Unsubscribe</a> {{ company_address }}</p>'
PAGE = f"<p>Our letter to you, about your salon and its week.</p>{FOOT}"
THERE_ARE = (
    "(there are: default, upper, lower, title, capitalize, round, int, join, trim, length, money, urlencode, pluralize)"
)
RULE = "A template may only hold names, {% if %} and filters."
GLUE = "a text in quotes of at most 20 characters"


def told(html: str) -> list[str]:
    return [problem.detail for problem in inspect("Hello", PAGE + html, status="Active", known=KNOWN)]


COMMENT = 'a "{#" opens a comment that never ends; in CSS, write a space between { and #.'
MISTAKES = {
    "Dear {{ first_name": '"{{ first_name" has no matching "}}" or "%}".',
    "Dear {{ }}": "a tag {{ }} is empty.",
    "Dear {% %}": "a tag {% %} is empty.",
    "{% if %}Dear{% endif %}": "an {% if %} has no condition; write {% if name %}.",
    "{% if score %}{%- elif -%}b{% endif %}": "an {% elif %} has no condition; write {% elif name %}.",
    "{{ }}{% if %}a{% endif %}": "a tag {{ }} is empty.",
    "{{ first_name and }}": "a tag {{ }} ends where a name should follow.",
    "{% if score > %}a{% endif %}": "a condition ends where a name should follow.",
    "Dear {{{ first_name }}}": "a tag has three braces where it needs two.",
    "{% if first_name": '"{% if first_name" has no matching "}}" or "%}".',
    "{% if first_name %}Dear": "an {% if %} has no {% endif %}.",
    '{% if first_name = "Ana" %}Dear{% endif %}': 'an {% if %} has a word too many, or one "=" where it needs "==".',
    "{% fi first_name %}Dear{% endif %}": '"{% fi" is of another tool; here it is {% endif %}.',
    "<style>@media print{#a{margin:0}}</style>Dear": COMMENT,
    "{{#if first_name}}a{{/if}}": '"{{#if" is of another tool; here it is {% if name %}.',
    "{% if first_name %}a{% elsif score %}b{% endif %}": '"{% elsif" is of another tool; here it is {% elif name %}.',
    "{% if score %}a{% elseif 1 %}b{% endif %}": '"{% elseif" is of another tool; here it is {% elif name %}.',
    "{% unless score %}a{% endunless %}": '"{% unless" is of another tool; here it is {% if not name %}.',
    "{% if score %}a{% endfor %}": '"{% endfor" is of another tool; here it is {% endif %}, as there are no loops.',
    "{{ if first_name }}a{{ endif }}": '"{{ if" is of another tool; here it is {% if name %}.',
    "{{> footer }}a": '"{{>" is of another tool; here it is nothing: there are no parts to include.',
    "a{% endif %}": "an {% endif %} has no {% if %} before it.",
    "{% else %}a": "an {% else %} has no {% if %} before it.",
    "{% if first_name %}a{% else %}b{% else %}c{% endif %}": "an {% if %} has {% else %} twice.",
    "{% if first_name %}a{% end if %}": '"{% end" is of another tool; here it is {% endif %}.',
    "{{ first_name | }}": "after the sign | the name of a filter is missing.",
    "{% case score %}a": '"{% case" is of another tool; here it is {% if name == 1 %}.',
    "{% fruit %}a": 'there is no tag "{% fruit %}"; there is only {% if %}.',
    "{{ first_name score }}": "a name has a space in it, or a sign between two words is missing.",
    "{% assign x = 1 %}": '"{% assign" is of another tool; here it is nothing: there are no assignments.',
}


@pytest.mark.parametrize("html", MISTAKES)
def test_a_mistake_in_a_tag_blocks_and_is_told_plainly(html):
    (problem,) = inspect("Hello", PAGE + html, status="Active", known=KNOWN)
    assert problem.detail == f"The body has a mistake in its tags on line 1: {MISTAKES[html]}"
    assert (problem.code, problem.blocking) == ("syntax", True)


FORBIDDEN = {
    '{% set first_name = "a" %}': "{% set %}",
    "{% include 'a' %}": "{% include %}",
    "{% raw %}a{% endraw %}": "{% raw %}",
    "{% macro a() %}{% endmacro %}": "{% macro %}",
    "{{ first_name[0] }}": "square brackets after a name",
    "{{ first_name() }}": "a call, that is brackets after a name",
    "{{ first_name|safe }}": f'the filter "safe" {THERE_ARE}',
    "{{ first_name|attr('x') }}": f'the filter "attr" {THERE_ARE}',
    "{% if first_name is none %}{% endif %}": 'the test "is none" (there are: is defined, is known)',
    "{{ 9 ** 9 }}": "arithmetic",
    "{{ first_name ~ score }}": "the sign ~",
    '{{ "a" if first_name }}': 'an "if" within {{ }} that has no "else"',
    '{% if first_name == "Bea" %}{{ 1e999|int }}{% endif %}': "a number that is too large",
    "{% block a %}{% endblock %}": "{% block %}",
    "{% filter upper %}a{% endfilter %}": "{% filter %}",
    "{% extends 'a' %}": "{% extends %}",
    "{% import 'a' as first_name %}": "{% import %}",
    "{% from 'a' import b %}": "{% import %}",
    "{{ {1: 2} }}": "a third brace, or { } within a tag",
    '{{ 5 | round(999999999, "floor") }}': 'the filter "round" with something else than a number from 0 to 6',
    "{{ 5 | round(score) }}": 'the filter "round" with something else than a number from 0 to 6',
    "{{ 5 | round(-1) }}": 'the filter "round" with something else than a number from 0 to 6',
    '{{ 5 | round(1, "up") }}': 'the filter "round" with something else than "common", "ceil" or "floor"',
    "{{ first_name | join(first_name) }}": f'the filter "join" with something else than {GLUE}',
    "{{ first_name | join('x' ) | join('y') }}": 'the filter "join" twice in one tag',
    "{{ first_name | join('xxxxxxxxxxxxxxxxxxxxx') }}": f'the filter "join" with something else than {GLUE}',
    "{{ first_name | join(',', 'attribute') }}": 'the filter "join" with an argument that it does not have',
    "{{ first_name | trim(first_name) }}": f'the filter "trim" with something else than {GLUE}',
    "{{ first_name | upper(3) }}": 'the filter "upper" with an argument that it does not have',
    "{{ first_name | default(*score) }}": 'the filter "default" with a star',
    "{{ first_name | default(other=1) }}": 'the filter "default" with an argument that it does not have',
    "{{ score | int(1, 36) }}": 'the filter "int" with an argument that it does not have',
    "{{ first_name|default('x', 1) }}": 'the filter "default" with something else than true or false',
    "{{ score|pluralize(score) }}": f'the filter "pluralize" with something else than {GLUE}',
}


@pytest.mark.parametrize("html", FORBIDDEN)
def test_anything_outside_the_small_language_is_forbidden(html):
    (problem,) = inspect("Hello", PAGE + html, status="Active", known=KNOWN)
    assert problem.detail == f"The body uses {FORBIDDEN[html]}. {RULE}"
    assert (problem.code, problem.blocking) == ("forbidden", True)


CHANGED = [
    ("{{ first_name|default(“there”) }}", "curly quotes", "with straight quotes"),
    ("{{ first_name|default(‘there’) }}", "curly quotes", "with straight quotes"),
    ("{{\u00a0first_name }}", "a special space", "with plain spaces"),
    ("{{ first_name\u200b }}", "a special space", "with plain spaces"),
    ("{%– if first_name %}a{% endif %}", "a long dash", "with plain hyphens"),
    ("{% if first_name|length ≥ 3 %}a{% endif %}", "a symbol that Notion made", 'with plain signs such as ">="'),
    ("{{ <strong>first_name</strong> }}", "formatting (an HTML tag)", "without formatting"),
    ("{{&nbsp;first_name }}", "an HTML code", "with plain characters"),
    ("{% if first_name|length &gt; 3 %}a{% endif %}", "an HTML code", "with plain characters"),
    ("{{ first_name|default(&quot;there&quot;) }}", "an HTML code", "with plain characters"),
    ("{{ first_name|default('<em>there</em>') }}", "formatting (an HTML tag)", "without formatting"),
]


@pytest.mark.parametrize(("html", "what", "how"), CHANGED)
def test_what_notion_changed_inside_a_tag_is_named_and_blocks(html, what, how):
    (problem,) = inspect("Hello", PAGE + html, status="Active", known=KNOWN)
    assert problem.detail.startswith(f"The body has {what} inside {{")
    assert problem.detail.endswith(f"}}. Type that tag again {how}.")
    assert (problem.code, problem.blocking) == ("curly_quotes", True)


UNKNOWN = "which is not a known variable."
FOREIGN = "which no lead should read: another tool would fill it in."
UPLOAD = "and Gmail and Outlook show none. Upload it to your website, and use its https:// address."
PIECES = "The body has a mistake in its tags:"
NO_PAGE = "looks like a placeholder that was not filled in."
TOO_LONG = "The body has a tag that is too long, or too many {% if %} within each other."
CHOICE = "{% if first_name %}{{ score }}{% else %}top{% endif %}"
CARELESS = {
    "{{ firstname }}": f"The body uses {{{{ firstname }}}}, {UNKNOWN} Did you mean {{{{ first_name }}}}?",
    "{{ zodiac }}": f"The body uses {{{{ zodiac }}}}, {UNKNOWN}",
    "{{ end }}": f"The body uses {{{{ end }}}}, {UNKNOWN} As a word of another tool it is {{% endif %}} here.",
    "{{ first name }}": f'{PIECES} "{{{{ first name }}}}" has a name in pieces; write {{{{ first_name }}}}.',
    "{{ first-name }}": f'{PIECES} "{{{{ first-name }}}}" has a name in pieces; write {{{{ first_name }}}}.',
    "Dear first_name }}": 'The body has a loose "}}" that the reader would see.',
    f"{{{{ first_name{'|lower' * 2000} }}}}": TOO_LONG,
    f"{'{% if score %}' * 99}{'{% endif %}' * 99}": TOO_LONG,
    '<a href="www.salon.example">a</a>': 'A link goes to "www.salon.example", which does not start with https://.',
    '<a href="http://nas">a</a>': 'A link goes to "http://nas", which no reader can reach: it is on your own machine.',
    f'<a href="{CHOICE}">a</a>': f'A link goes to "{CHOICE}", which does not start with https://.',
    '<img src="https://a.example/b.png">': "An image has no alternative text (alt) for readers who do not see it.",
    '<img alt="x" src="cid:logo">': f'A picture is put into the letter itself ("cid:logo…"), {UPLOAD}',
    '<img alt="x" src="nas/logo.png">': 'A picture comes from "nas/logo.png", where no reader can load it.',
    '<img alt="x" src="https://file.notion.so/f/a.png">': 'A picture comes from "https://file.notion.so/f/a.png…", '
    "which Notion lets expire within the hour.",
    "Lorem ipsum": f'"Lorem ipsum" {NO_PAGE}',
    "[NAME]": f'"[NAME]" {NO_PAGE}',
    "*|FNAME|*": f'The body says "*|FNAME|*", {FOREIGN} Here it is {{{{ first_name }}}}.',
    "*|MC:SUBJECT|*": f'The body says "*|MC:SUBJECT|*", {FOREIGN} Here a name stands between {{{{ and }}}}.',
}


@pytest.mark.parametrize("html", CARELESS)
def test_what_else_an_owner_reads_of_a_text(html):
    assert told(html) == [CARELESS[html]]


@pytest.mark.parametrize(
    ("subject", "html", "status", "sentences"),
    [
        (
            "",
            "<p>Hi</p>",
            " Draft ",
            [
                "The template has no subject line.",
                'The template\'s status is "Draft"; only "Active" templates are sent.',
                "The body has no {{ unsubscribe_url }}: a link is added at the end.",
                "The body has no {{ company_address }}: the address is added at the end.",
            ],
        ),
        ("Hi", "", "", ["The template has no text in its body."]),
        ("{{ zodiac }}", PAGE, "", [f"The subject line uses {{{{ zodiac }}}}, {UNKNOWN}"]),
        (
            "[First Name]",
            PAGE,
            "",
            [f'The subject line says "[First Name]", {FOREIGN} Here it is {{{{ first_name }}}}.'],
        ),
        (
            "Hi",
            f'<img src="https://a.example/b.png" alt="A">{FOOT.replace("Unsubscribe", "")}',
            "",
            ["The body is only images: many readers see none, and filters distrust it."],
        ),
        (
            "Hi",
            f"{PAGE}<p>{'long ' * 21_000}</p>",
            "",
            ["The body has 102 KB; Gmail cuts emails off after 102 KB."],
        ),
    ],
)
def test_what_is_said_of_the_whole(subject, html, status, sentences):
    assert [problem.detail for problem in inspect(subject, html, status=status, known=KNOWN)] == sentences


SHOWN = [
    f'The body shows "{braces}" to the reader: formatting or HTML codes break a tag. Type it again.'
    for braces in ("{{", "}}")
]
SEVERAL = {
    "{<b>{ first_name }</b>}": SHOWN,
    "&#123;&#123; first_name &#125;&#125;": SHOWN,
    "{{ first_name.upper() }}": [
        f"The body uses a call, that is brackets after a name. {RULE}",
        f"The body uses a dot within a name. {RULE}",
    ],
    "{% for letter in first_name %}{% endfor %}": [
        f"The body uses a loop ({{% for %}}). {RULE}",
        f"The body uses {{{{ letter }}}}, {UNKNOWN}",
    ],
}


@pytest.mark.parametrize("html", SEVERAL)
def test_each_of_several_problems_is_told_once(html):
    assert told(html + html) == SEVERAL[html]
