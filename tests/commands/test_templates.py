"""`flask templates` as its user runs it: what is printed, what is written, and the exit code."""

import pytest

from funnel_app.flows.templates.populate import populate
from funnel_app.gateways.errors import Rejected, Unavailable
from tests.flows.leads import opt_in


@pytest.fixture
def run(app, deps):
    populate(deps)
    return lambda *arguments: app.test_cli_runner().invoke(args=["templates", *arguments])


def test_preview_prints_subject_and_text_and_writes_the_html(run, tmp_path):
    done = run("preview", "christmas_email_1", "--sample", "urgent", "--html", str(tmp_path / "a.html"))
    assert done.exit_code == 0
    assert done.stdout.startswith("Subject: ") and "Warning Zone" in done.stdout
    assert "<html" in (tmp_path / "a.html").read_text()
    assert f"HTML: {tmp_path / 'a.html'}" in done.stderr


def test_preview_opens_the_browser_where_it_is_asked_and_leaves_one_file_a_template(run, monkeypatch, tmp_path):
    opened = []
    monkeypatch.setattr("click.launch", opened.append)
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert run("preview", "christmas_email_1", "--open").exit_code == 0
    assert opened == ["var/christmas_email_1.html"] * 2
    assert [each.name for each in tmp_path.rglob("*.html")] == ["christmas_email_1.html"]


def test_preview_says_where_it_cannot_write(run, tmp_path):
    (tmp_path / "var").touch()
    done = run("preview", "christmas_email_1", "--html", str(tmp_path / "var" / "a.html"))
    assert done.exit_code == 1 and "Name another place with --html" in done.stderr


def test_preview_says_what_a_lead_lacks(run, deps):
    opt_in(deps)
    deps.notebook.write("christmas_email_1", "Hi", "<p>You have {{ red_systems }} red systems</p>")
    done = run("preview", "christmas_email_1", "--lead", "ana@resend.dev")
    assert done.exit_code == 1
    assert "missing: nothing provides red_systems for this lead; the letter would be held" in done.stderr


def test_preview_of_a_broken_template_says_why(run, deps):
    deps.notebook.write("christmas_email_1", "Hi", "<p>{{ first_nam }}</p>")
    done = run("preview", "christmas_email_1")
    assert done.exit_code == 1 and "fault: The body uses {{ first_nam }}" in done.stderr and done.stdout == ""


def test_preview_of_what_is_not_there_is_an_error_in_words(run):
    done = run("preview", "chrismas_email_1")
    assert done.exit_code == 1 and "did you mean christmas_email_1?" in done.output


def test_send_test_says_what_became_of_each(run, deps):
    done = run("send-test", "--all", "--to", "delivered@resend.dev")
    assert done.exit_code == 0, done.output
    assert "22 of 22 tests were handed to Resend for delivered@resend.dev." in done.output
    deps.notebook.write("christmas_email_2", "", "")
    done = run("send-test", "christmas_email_1", "christmas_email_2", "--to", "delivered@resend.dev")
    assert done.exit_code == 1 and "not sent  christmas_email_2" in done.output
    assert "1 of 2 tests" in done.output


@pytest.mark.parametrize("arguments", [[], ["--all", "christmas_email_1"]])
def test_send_test_wants_templates_or_all(run, arguments):
    done = run("send-test", *arguments, "--to", "delivered@resend.dev")
    assert done.exit_code == 2 and "say --all" in done.output


def test_a_property_that_notion_does_not_have_is_told_with_what_to_do(run, deps):
    deps.notebook.fault = Rejected("notion", "400 validation_error: Template Type is not a property that exists.")
    done = run("populate")
    assert done.exit_code == 1
    assert "Template Type is not a property that exists." in done.output
    assert "give the name that it has there in NOTION_PROPERTY_NAMES" in done.output


def test_redis_away_is_not_blamed_on_notion(run, deps, monkeypatch):
    def away():
        raise Unavailable("redis", "no route")

    monkeypatch.setattr(deps.pause, "current", away)
    done = run("send-test", "--all", "--to", "delivered@resend.dev")
    assert done.exit_code == 1 and "It cannot go on: redis: no route" in done.output
