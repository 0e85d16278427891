"""The gate names every fault of a template, and lets a good one pass."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from funnel_app.letters.validation.gate import Problem, blocked, inspect

KNOWN = {"first_name", "business_name", "calendly_link", "unsubscribe_url", "company_name", "company_address"}
FOOT = '<p><a href="{{ unsubscribe_url }}">Unsubscribe</a> {{ company_address }}</p>'
GOOD = f"<p>Dear {{{{ first_name }}}}, this is a letter about your salon.</p>{FOOT}"


def look(subject: str = "Hello {{ first_name }}", html: str = GOOD, status: str = "Active") -> tuple[Problem, ...]:
    return inspect(subject, html, status=status, known=KNOWN)


def codes(problems: tuple[Problem, ...]) -> set[str]:
    return {problem.code for problem in problems}


def test_a_good_template_has_no_problem():
    assert look() == ()


@pytest.mark.parametrize("status", ["Active", "ACTIVE", " active ", ""])
def test_status_active_in_any_case_or_none_at_all_passes(status):
    assert look(status=status) == ()


@pytest.mark.parametrize("status", ["Draft", "Archived", "Inactive", "Not active"])
def test_any_other_status_blocks_and_is_named(status):
    (problem,) = look(status=status)
    assert problem.code == "not_active"
    assert status in problem.detail
    assert problem.blocking


@pytest.mark.parametrize("subject", ["", "  ", "\u00a0", "\u200b", "{# later #}", "{% if first_name %}{% endif %}"])
def test_a_template_without_a_subject_is_blocked(subject):
    (problem,) = look(subject=subject)
    assert (problem.code, problem.detail) == ("no_subject", "The template has no subject line.")


@pytest.mark.parametrize(
    "html",
    [
        "",
        " \n",
        "<p></p>",
        "<p>&nbsp;</p><br>",
        "<p>\u200b</p>",
        "<!-- text --><style>p { margin: 0 }</style><p> </p>",
        "<html><head><title>A title</title></head><body></body></html>",
        "{# later #}<div></div>",
    ],
)
def test_a_body_that_shows_nothing_is_blocked_and_not_also_criticised(html):
    assert codes(look(html=html)) == {"no_body"}


@pytest.mark.parametrize("html", ["{{ first_name }}", '<img src="https://a.example/b.png" alt="A picture">'])
def test_a_body_of_one_variable_or_image_is_not_empty(html):
    assert "no_body" not in codes(look(html=html))


def test_a_mistake_in_the_subject_blocks_too():
    (problem,) = look(subject="Hello {{ first_name }")
    assert problem.code == "syntax"
    assert "subject line" in problem.detail


@pytest.mark.parametrize("typo", ["firstname", "First_Name", "first_nam", "FIRST_NAME"])
def test_an_unknown_variable_blocks_with_the_name_that_was_meant(typo):
    (problem,) = look(subject=f"Hello {{{{ {typo} }}}}")
    assert problem.code == "unknown_variable"
    assert problem.blocking
    assert "Did you mean {{ first_name }}?" in problem.detail


@pytest.mark.parametrize("use", ["{% if typo is defined %}a{% endif %}", '{{ typo|default("a") }}', "{{ self }}"])
def test_a_name_that_nothing_can_ever_provide_blocks_however_it_is_used(use):
    assert codes(look(html=GOOD + use)) == {"unknown_variable"}


@pytest.mark.parametrize(
    "html",
    [
        '{{ first_name|default("there")|upper }}',
        '{% if first_name == "Ana" and not business_name %}a{% elif business_name is defined %}b{% else %}c{% endif %}',
        '{% if first_name in ["Ana", "Luz"] or first_name|length > 3 %}a{% endif %}',
        '{{ "Dear" if first_name else "Hello" }}',
        "{{ first_name|lower|title|capitalize|trim }} {{ 2.5|round|int }} {{ first_name|join(', ') }} {{ -1 }}",
        "{# a note to myself #}",
        """{{ first_name|default("it’s — “you”") }} {{ first_name|default('it’s') }}""",
    ],
)
def test_the_small_language_passes(html):
    assert look(html=GOOD + html) == ()


def test_changes_outside_of_tags_are_the_owners_own_typography():
    assert look(subject="“Hello” — it’s me", html=f"“Good” – <b>so</b>&nbsp;it’s… {GOOD}") == ()


def test_other_faults_are_found_behind_what_notion_changed():
    assert codes(look(html=GOOD + "{{ firstname|default(“there”) }}")) == {"curly_quotes", "unknown_variable"}


@pytest.mark.parametrize(
    ("code", "html"),
    [
        ("no_unsubscribe", "<p>Dear reader, {{ company_address }}</p>"),
        ("no_address", '<p>Dear reader, <a href="{{ unsubscribe_url }}">leave</a></p>'),
        ("bad_link", GOOD + '<a href="www.salon.example">a</a>'),
        ("bad_link", GOOD + '<a href="">a</a>'),
        ("bad_link", GOOD + '<a href="{% if first_name %}{% endif %}">a</a>'),
        ("bad_link", GOOD + '<a href="{% if first_name %}{{ calendly_link }}{% else %}top{% endif %}">a</a>'),
        ("bad_link", GOOD + '<a href="https://">a</a>'),
        ("bad_link", GOOD + '<a href="http://localhost:3000/book">a</a>'),
        ("bad_link", GOOD + '<a href="https://10.0.0.4/book">a</a>'),
        ("bad_link", GOOD + '<a href="javascript:alert(1)">a</a>'),
        ("bad_link", GOOD + '<a href="/{{ calendly_link }}">a</a>'),
        ("too_long", GOOD + f"<p>{'long ' * 21_000}</p>"),
        ("images_without_text", GOOD + '<img src="https://a.example/b.png">'),
        ("placeholder", GOOD + "<p>Lorem ipsum dolor</p>"),
        ("placeholder", GOOD + "<p>TODO: more</p>"),
        ("placeholder", GOOD + "<p>Costs XXX dollars</p>"),
        ("placeholder", GOOD + "<p>Dear [NAME],</p>"),
    ],
)
def test_what_only_looks_careless_is_a_warning(code, html):
    found = look(html=html)
    assert codes(found) == {code}
    assert not blocked(found)


def test_a_letter_that_is_only_images_is_warned_about():
    html = '<img src="https://a.example/b.png" alt="A picture of our whole offer">'
    assert "images_without_text" in codes(look(html=html))


@pytest.mark.parametrize(
    "target",
    [
        "https://a.example/b?c=d",
        "http://a.example",
        "mailto:a@b.example",
        "tel:+14165550100",
        "#top",
        "{{ calendly_link }}",
        "{{calendly_link}}",
        "https://a.example/{{ first_name }}",
        "https://a.example/{% if first_name %}b{% endif %}",
        "{% if first_name %}{{ calendly_link }}{% else %}#top{% endif %}",
    ],
)
def test_well_formed_links_pass(target):
    assert look(html=f'{GOOD}<a href="{target}">a</a>') == ()


def test_a_problem_is_told_once():
    twice = look(html=GOOD + "{{ typo }} {{ typo }} [NAME] [NAME]")
    assert len(twice) == len(set(twice)) == 2


@settings(max_examples=40)
@given(subject=st.text(), html=st.text(alphabet="{}%#<>!-[]/'\"ab &;= \n“\u00a0", max_size=60), status=st.text())
@example(subject="", html="<![foo bar]>", status="")
@example(subject="{{" + "1" * 6000 + "}}", html="{{" + "(" * 3000, status="")
def test_no_text_at_all_breaks_the_gate(subject, html, status):
    assert all(problem.detail for problem in look(subject, html, status))
