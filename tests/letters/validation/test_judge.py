"""The judge reads the letter that was made: what its reader would not see, or see wrongly, blocks the template."""

from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from funnel_app.letters.letter import Envelope
from funnel_app.letters.problem import fault, warning
from funnel_app.letters.render import render
from funnel_app.letters.validation.draft import Draft, Sample
from funnel_app.letters.validation.judge import judge

URL = "https://funnel.example/u/token"
ENVELOPE = Envelope(
    sender="BusinessX <hello@mail.example>",
    to="ana@client.example",
    reply_to=None,
    unsubscribe_url=URL,
    company_name="BusinessX",
    company_address="1 Market Street",
    marketing=True,
    tags={},
)
KNOWN = {"first_name", "score", "unsubscribe_url", "company_address"}
SAMPLE = Sample("ana", {"first_name": "Ana", "score": 38}, ENVELOPE)
FOOT = '<p><a href="{{ unsubscribe_url }}">Unsubscribe</a> {{ company_address }}</p>'
WORDS = " ".join(f"Sentence {number} tells of the salon and its week." for number in range(10))


def in_table(cell: str) -> str:
    return f"<table><tr>{cell}</tr></table>"


def verdict(html: str, subject: str = "Hello", sample: Sample = SAMPLE):
    return judge(Draft(subject, html, "Active", KNOWN, (sample,)))


def faults(html: str, **more) -> set[str]:
    return {problem.code for problem in verdict(html, **more).problems if problem.blocking}


def warnings(html: str, **more) -> set[str]:
    return {problem.code for problem in verdict(html, **more).problems if not problem.blocking}


def test_a_good_template_has_no_problem_and_its_parts():
    found = verdict(f"<p>Hi {{{{ first_name }}}}</p>{FOOT}")
    assert found.problems == ()
    assert "{{ first_name }}" in found.parts.html and "{{ first_name }}" in found.parts.text


@pytest.mark.parametrize(
    ("html", "code"),
    [
        ("<p>Hi</p><!-- note —><p>Your week</p>" + FOOT, "unclosed"),
        ("<!-- note —>Hello there <!-- more --><p>Your week</p>" + FOOT, "unclosed"),
        ("<p>Hi</p><!-- note ->" + FOOT, "unclosed"),
        ('<p style="color:red>One</p><p>Two</p><p class="x">Three</p>' + FOOT, "unclosed"),
        ('<p><a href="https://x.example>One</a></p><p title="x">Two</p>' + FOOT, "unclosed"),
        ("<p><a href=“{{ unsubscribe_url }}”>Leave</a></p>", "curly_quotes"),
        ("<p style=‘color:red’>Hi</p>" + FOOT, "curly_quotes"),
        ('<div style="display:none"><p>Hi {{ first_name }}</p></div>', "not_rendered"),
        ('<body style="margin:0;display: none"><p>Hi</p>' + FOOT, "not_rendered"),
        ("<div hidden><p>Hi</p></div>", "not_rendered"),
        ("<style>.a{display:none}</style><div class=a>Hi</div>", "not_rendered"),
        ('<p title="&#123;&#123; 7*7 &#125;&#125;">Hi</p>' + FOOT, "syntax"),
        ('<p title="&#123;% for a in score %}x{% endfor %}">Hi</p>' + FOOT, "syntax"),
        ('<p title="&lbrace;&lbrace; zodiac }}">Hi</p>' + FOOT, "syntax"),
        ("{{ first_name|money }}" + FOOT, "not_rendered"),
        ("<div>" * 300 + "Hi", "too_deep"),
    ],
)
def test_what_its_reader_would_not_see_as_meant_blocks(html, code):
    assert code in faults(html)
    assert verdict(html).parts is None


@pytest.mark.parametrize(
    "html",
    [
        "<!-- <p>An old sentence</p> --><p>Hi</p>",
        "<!-- a -> b --><p>Hi</p>",
        "<!--[if !mso]><!--><p>Hi</p><!--<![endif]--><!--[if mso]><table><tr><td><![endif]--><p>You</p>",
        '<div style="display:none;max-height:0">Peek</div><p>Hi</p>',
        '<p style="opacity:0.9;max-height:0.5em">Hi</p>',
        '<p title="It’s “fine”" data-x=\'a "b"\'>a = “b” <b>it’s</b></p>',
        '<p class="{% if score > 3 %}a{% endif %}">Hi</p>',
        "<td>A loose cell</td><p>Hi",
        "<div>" * 150 + "Hi" + "</div>" * 150,
    ],
)
def test_what_real_templates_hold_raises_no_alarm(html):
    assert faults(html + FOOT) == set()


def test_a_way_out_that_nobody_sees_is_added_where_it_is_seen():
    hidden = f'<p>Hi {{{{ first_name }}}}</p><p style="display:none">{FOOT}</p>'
    assert faults(hidden) == set()


def test_the_weight_counts_with_the_styles_in_place():
    cell = "<td>x</td>" * 1000
    styled = f"<style>td{{font-family:{'a' * 150}}}</style><table><tr>{cell}</tr></table>{FOOT}"
    assert len(styled) < 20_000
    told = "The letter weighs 178 KB with its styles in place; Gmail cuts emails off after 102 KB."
    assert verdict(styled).problems == (warning("too_long", told),)
    assert "too_long" not in warnings(styled.replace("a" * 150, "a"))


def test_a_reader_whom_nothing_provides_for_is_named():
    without = replace(SAMPLE, values={"first_name": "Ana"})
    (problem,) = verdict(f"<p>{{{{ score }}}}</p>{FOOT}", sample=without).problems
    told = "For a lead like “ana” nothing provides {{ score }}: that letter is held. Put it between"
    assert problem == warning("not_for_everyone", f"{told} {{% if score is known %}} and {{% endif %}}.")
    assert not warnings(f"<p>{{% if score is known %}}{{{{ score }}}}{{% endif %}}Hi</p>{FOOT}", sample=without)


@pytest.mark.parametrize(
    ("html", "subject", "words"),
    [
        ("x" * 400_001, "Hi", "The body has 400,001 characters; a letter may have 400,000."),
        ("{#" * 20_000, "Hi", "The body has 20,000 tags; a letter may have 500."),
        ("{{ x }}" * 501, "Hi", "The body has 501 tags; a letter may have 500."),
        ("<!--" * 1_001, "Hi", "The body has 1,001 HTML comments; a letter may have 1,000."),
        ("<p>" * 20_001, "Hi", "The body has 20,001 HTML elements; a letter may have 20,000."),
        ("Hi", "x" * 2_001, "The subject line has 2,001 characters; a letter may have 2,000."),
        ("Hi", "{%" * 501, "The subject line has 501 tags; a letter may have 500."),
    ],
)
def test_a_template_past_every_measure_is_named_before_anything_reads_it(html, subject, words):
    (problem,) = verdict(html, subject=subject).problems
    assert (problem.code, problem.detail) == ("too_large", words)


@pytest.mark.parametrize(
    "tag",
    [
        "{{ score|round(precision=1) }}",
        "{{ first_name|default('x', true) }}",
        "{{ score|int(0) }}",
        "{{ first_name|urlencode }}",
    ],
)
def test_what_owners_give_their_filters_passes(tag):
    assert verdict(f"<p>{tag}</p>{FOOT}").problems == ()


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("*|FNAME|*", "first_name"),
        ("%FIRSTNAME%", "first_name"),
        ("-first_name-", "first_name"),
        ("[first_name]", "first_name"),
        ("[[first_name]]", "first_name"),
        ("[First Name]", "first_name"),
        ("${first_name}", "first_name"),
        ("${contact.first_name}", "first_name"),
        ("<%= first_name %>", "first_name"),
        ("{first_name}", "first_name"),
        ("*|UNSUB|*", "unsubscribe_url"),
        ("*|MC:SUBJECT|*", None),
    ],
)
def test_a_placeholder_of_another_tool_blocks_with_the_right_spelling(written, meant):
    for html, subject in ((f"<p>Hi {written}</p>{FOOT}", "Hello"), (f"<p>Hi</p>{FOOT}", f"Hello {written}")):
        (problem,) = [each for each in verdict(html, subject=subject).problems if each.code == "foreign_placeholder"]
        assert problem.blocking and written in problem.detail
        assert (f"{{{{ {meant} }}}}" if meant else "between") in problem.detail


def test_a_placeholder_within_a_link_blocks_too():
    assert "foreign_placeholder" in faults(f'<p>Hi <a href="*|UNSUB|*">leave</a></p>{FOOT}')


@pytest.mark.parametrize(
    "words",
    [
        "100% OFF and 50% more",
        "a - well_known - thing",
        "[Name] and [1]",
        "it costs $5 {{ first_name }}",
        "A 5%-10% rise",
    ],
)
def test_what_only_looks_like_a_placeholder_does_not_block(words):
    assert faults(f"<p>{words}</p>{FOOT}") == set()


@pytest.mark.parametrize(
    "hiding",
    [
        '<div style="display:none">{}</div>',
        "<style>.x{{display:none}}</style><div class=x>{}</div>",
        "<noscript>{}</noscript>",
        "<template>{}</template>",
        "<textarea>{}",
        "<select>{}",
        '<div style="font-size:0">{}</div>',
        '<div style="font-size: 0px"><p style="font-size:1.2em">{}</p></div>',
        '<div style="font:0/0 a">{}</div>',
        '<div style="font-size:1px">{}</div>',
        "<style>.x{{font-size:0!important}}</style><div class=x>{}</div>",
        '<p style="color:#fff">{}</p>',
        '<p style="color:#fefefe">{}</p>',
        '<p style="color:transparent">{}</p>',
        "<font color=white>{}</font>",
        '<table bgcolor="#112233"><tr><td style="color:rgb(17, 34, 51)">{}</td></tr></table>',
        '<div style="background:#000"><span>{}</span></div>',
        "<style>p{{color:#fff}} @media (prefers-color-scheme:dark){{p{{color:#eee;background:#000}}}}</style><p>{}</p>",
        '<div style="height:0;overflow:hidden">{}</div>',
        '<div style="text-indent:-9999px">{}</div>',
        '<div style="position:absolute;left:-9999px">{}</div>',
    ],
)
def test_a_letter_that_shows_a_small_part_of_its_words_blocks(hiding):
    words = " ".join(f"word{chr(97 + number % 26)}{number}" for number in range(200))
    assert "unseen" in faults(f"<p>Hi</p>{FOOT}" + hiding.format(words))


@pytest.mark.parametrize(
    "html",
    [
        '<div style="display:none">{}</div><p>{}</p>',
        "<p>Hi</p>{{% if score > 50 %}}<p>{}</p>{{% endif %}}<!-- {} -->",
        "<p>Hi</p><!--[if mso]><p>{}</p><![endif]--><style>/* {} */</style>",
        '<div style="display:none">Peek into this week of your salon, which is short</div><p>Hi</p>',
        '<div style="font-size:1px;color:#ffffff">Peek into this week of your salon</div><p>Hi</p>',
        # Columns side by side: the space between them has no size, and they have their own.
        in_table('<td style="font-size:0"><div style="display:inline-block;font-size:16px">{}</div></td>'),
        in_table('<td style="font-size:0px"><p style="font-size:1rem">{}</p></td>'),
        '<a href="https://x.example" style="background:#c00;color:#fff">{}</a>',
        in_table('<td style="background-color:#222"><a href="https://x.example" style="color:white">{}</a></td>'),
        '<body bgcolor="#000000" text="#ffffff"><p>{}</p>',
        '<table background="https://x.example/a.png"><tr><td style="color:#fff">{}</td></tr></table>',
        in_table('<td style="background:url(https://x.example/a.png) #fff;color:#fff">{}</td>'),
        in_table('<td style="background-image:linear-gradient(#111, #333)"><p style="color:#fff">{}</p></td>'),
        '<div style="position:absolute"><p style="color:#fff">{}</p></div>',
        '<p style="color:#fff;margin-top:-40px">{}</p>',
        '<p style="color:#fff;text-shadow:0 0 4px #000">{}</p>',
        "<style>@media screen{{.d{{background:#111}}}}</style><div class=d style='color:#fff'>{}</div>",
        '<p style="color:rgba(255,255,255,.9);background:rgba(0,0,0,.8)">{}</p>',
        '<p style="color:inherit;background:none">{}</p>',
        '<p style="color:#fff;background:var(--brand)">{}</p>',
        '<p style="max-width:0;overflow:hidden;text-overflow:ellipsis;white-space:nowrap">{}</p>',
        '<p style="color:#fff;background:#c00 none repeat scroll 0 0">{}</p>',
        '<div style="height:100%;overflow:hidden;width:0.5em">{}</div>',
    ],
)
def test_what_is_hidden_by_design_raises_no_alarm(html):
    words = " ".join(f"word{number}" for number in range(200))
    assert "unseen" not in faults(html.format(words, words) + FOOT)


def test_styles_that_cannot_be_inlined_and_those_that_gmail_drops_are_warned_of():
    assert "not_inlined" in warnings(
        f"<style>p{{margin:0}}</style><table><tr><td>{{{{ first_name }}}}</td></tr>{{{{ score }}}}</table>{FOOT}"
    )
    assert "not_inlined" not in warnings(
        f"<style>p{{margin:0}}</style><p {{% if score %}}class=a{{% endif %}}>a</p>{FOOT}"
    )
    many = "".join(f".c{number}:hover{{color:red}}" for number in range(1000))
    told = "Its styles have 22 KB in the head; Gmail leaves all of them out above 16 KB."
    assert verdict(f"<style>{many}</style><p>Hi</p>{FOOT}").problems == (warning("too_long", told),)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("", "no reader can load"),
        ("logo.png", "no reader can load"),
        ("file:///C:/logo.png", "no reader can load"),
        ("C:\\Users\\Ana\\logo.png", "no reader can load"),
        ("//files/logo.png", "no reader can load"),
        ("http://localhost:8000/logo.png", "no reader can load"),
        ("http://127.0.0.1/logo.png", "no reader can load"),
        ("http://192.168.1.7/logo.png", "no reader can load"),
        ("https://[fd00::7]/logo.png", "no reader can load"),
        ("https://nas/logo.png", "no reader can load"),
        ("https://printer.local/logo.png", "no reader can load"),
        ("cid:logo", "Gmail and Outlook show none"),
        ("data:image/png;base64,iVBORw0KGgo=", "Gmail and Outlook show none"),
    ],
)
def test_a_picture_that_nobody_can_load_is_warned_of(source, words):
    html = f'<p>{WORDS}</p><img alt="Logo" src="{source}">{FOOT}'
    (problem,) = verdict(html).problems
    assert problem.code == "bad_image" and words in problem.detail and not problem.blocking
    assert warnings(html.replace(f'src="{source}"', 'src="https://x.example/a.png"')) == set()
    assert warnings(html.replace(f'src="{source}"', 'src="https://9.9.9.9/{{ first_name }}.png"')) == set()


def test_a_page_that_is_not_active_is_told_beside_what_else_is_wrong_with_it():
    found = judge(Draft("Hello", "```html\n<p>A</p>\n```\n```html\n<p>B</p>\n```", "Draft", KNOWN, (SAMPLE,)))
    assert [problem.code for problem in found.problems] == ["code_or_words", "not_active"]


def test_an_address_in_angle_brackets_hides_no_word_of_the_text_part():
    links = "".join(f'<a href="https://x.example/{n}">word{n}</a> ' for n in range(30))
    assert warnings(f"<p>{links}</p>{FOOT}") == set()


def test_a_picture_behind_the_words_counts_as_one():
    html = f'<table background="cid:back"><tr><td>{WORDS}</td></tr></table>{FOOT}'
    assert warnings(html) == {"bad_image"} and warnings(html.replace("cid:back", "https://x.example/a.png")) == set()


def test_a_picture_whose_address_dies_within_the_hour_blocks():
    address = "https://prod-files-secure.s3.us-west-2.amazonaws.com/a.png?X-Amz-Expires=3600"
    (problem,) = verdict(f'<p>{WORDS}</p><img alt="Logo" src="{address}">{FOOT}').problems
    assert problem.code == "expiring_image" and problem.blocking and "expire within the hour" in problem.detail


PIECES = ["{{", "}}", "{{ first_name }}", "{% if first_name %}", "{% endif %}", "<p>", "<table>", "<td>", "a", " "]


@settings(max_examples=40)
@given(st.lists(st.sampled_from([*PIECES, "<style>", "</style>", "<a href='", "'>", "<script>"]), max_size=14))
@example(["{{", "'>", "}}", "<a href='", "}}"])
@example(["{{", "'>", "{% if first_name %}", "<a href='", "}}"])
def test_what_passes_can_be_rendered_for_every_reader(pieces):
    found = verdict("Dear" + "".join(pieces))
    if found.parts:
        assert render(found.parts, {"first_name": "<Bo>"}).subject == "Hello"


def test_how_little_a_reader_sees_is_counted_and_what_the_text_part_lacks_is_named():
    words = " ".join(f"word{number}" for number in range(200))
    told = "A reader sees only 2 of its 203 different words: the others, such as “hiunsubscribe”, are hidden."
    hidden = verdict(f'<p>Hi</p>{FOOT}<div style="display:none">{words}</div>')
    assert hidden.problems == (fault("unseen", told),)
    rows = "".join(f'<p title="{n}">w{n} <img alt="" src="https://x.example/a.png"></p>' for n in range(40))
    assert verdict(rows + FOOT).problems == ()
