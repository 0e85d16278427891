"""From nothing to a `.env`: each answer is checked by its rule and by those who know, and its owner alone reads it."""

import os
import stat

import pytest
from click.testing import CliRunner

from funnel_app.commands.setup import setup
from funnel_app.config import MEANINGS, examine_settings
from funnel_app.environment import plain_values, read_file
from sandbox.server import serve
from sandbox.state import Config

TEMPLATES = "5a2b0d00-0000-4000-8000-000000000001"
ANSWERS = (
    "funnel.example",  # refused: no web address
    "https://funnel.example",
    "Biz's",
    "1 Street",
    "",  # testing mode as it is
    "re_abc",
    "Nora <nora@elsewhere.example>",  # not verified, and not taken all the same
    "n",
    "Nora <nora@mail.example.com>",
    "ntn_x",
    TEMPLATES,
    "",
    "",
)


@pytest.fixture
def answered(monkeypatch, tmp_path):
    """Answer the questions, with Resend and Notion played by the stand-ins; what was said, and the file."""
    for name in (*MEANINGS, "REDIS_PASSWORD"):
        monkeypatch.setenv(name, "x")  # so that what is set meanwhile is taken back
        monkeypatch.delenv(name)
    file = tmp_path / ".env"
    with serve(Config(verified_domains=("mail.example.com",))) as server:
        monkeypatch.setenv("RESEND_API_URL", server.resend_url)
        monkeypatch.setenv("NOTION_API_URL", server.resend_url.replace("/resend", "/notion"))

        def answer(*answers: str):
            given = "\n".join([*answers, ""])
            return CliRunner().invoke(setup, ["--to", str(file), "--no-offers"], input=given), file

        yield answer


def test_answers_become_settings_that_are_good(answered):
    result, file = answered(*ANSWERS)
    assert result.exit_code == 0, result.output
    assert "✗ must be a web address" in result.output
    assert "✗ elsewhere.example is none of the account's domains" in result.output
    assert "✓ mail.example.com is verified" in result.output
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    os.environ.update(read_file(file))
    settings, faults = examine_settings(None)
    assert faults == {}
    assert (settings.company_name, settings.from_email) == ("Biz's", "Nora <nora@mail.example.com>")
    assert settings.resend_webhook_secret.startswith("whsec_"), "the webhook was registered, and its secret fetched"


def test_a_second_run_keeps_what_is_there(answered):
    _, file = answered(*ANSWERS)
    before = plain_values(read_file(file))
    result, file = answered(*[""] * 12)
    assert result.exit_code == 0, result.output
    assert plain_values(read_file(file)) == before
    assert before["RESEND_API_KEY"] not in result.output
