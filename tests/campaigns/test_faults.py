"""Each fault of a campaign file in its whole words, with the file, the key and the reason."""

import pytest

from funnel_app.campaigns.model import Event
from funnel_app.campaigns.parse import NAMES, parse
from tests.campaigns.test_parse import BUSINESSX, faults

EVENTS = ", ".join(Event)
OF_A_HANDLER = "of small letters, digits and hyphens"

UNSEEN = "; it holds a character that is not seen (U+00A0): type the line again"


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            'name = "businessx"',
            'name = "Business X"',
            "name: 'Business X' is not a name of small letters, digits and underscores",
        ),
        ('name = "businessx"\n', "", "name: is missing"),
        ("title =", "titel =", "titel: is not a known key; did you mean title?"),
        ('title = "All year round"', "title = 7", "title: must be a text"),
        ("Europe/Berlin", "Mars/Olympus", "timezone: 'Mars/Olympus' is not a time zone such as America/Toronto"),
        ('"02-29"', '"02-30"', "deadline: '02-30' is not a month and day such as 12-05"),
        ('"02-29"', '"13-01"', "deadline: '13-01' is not a month and day such as 12-05"),
        ('"02-29"', '"soon"', "deadline: 'soon' is not a month and day such as 12-05"),
        ("capacity = 10", "capacity = -1", "capacity: must be a whole number from 0 to 1,000,000"),
        ("capacity = 10", "capacity = true", "capacity: must be a whole number from 0 to 1,000,000"),
        ("capacity = 10", 'capacity = "ten"', "capacity: must be a whole number from 0 to 1,000,000"),
        ('deadline = "02-29"\n', "", "sequences.welcome.steps[2].after_deadline: the campaign has no deadline"),
        ('timezone = "Europe/Berlin"\n', "", "timezone: is missing"),
        (
            "https://calendly.com",
            "http://calendly.com",
            "calendly_link: 'http://calendly.com/businessx/call' is not an https address",
        ),
        (
            "[hooks.signup]",
            "[hooks.signup]\nlegacy_path = []",
            "hooks.signup.legacy_path: is not a known key; did you mean legacy_paths?",
        ),
        (
            "[hooks.signup]",
            '[hooks.signup]\nlegacy_paths = ["x"]',
            "hooks.signup.legacy_paths: 'x' does not begin with /",
        ),
        ("[hooks.signup]", "[hooks.signup]\nlegacy_paths = 7", "hooks.signup.legacy_paths: must be a list of texts"),
        ("[hooks.signup]", '[hooks.signup]\nlegacy_id = "7"', "hooks.signup.legacy_id: '7' is not a UUID"),
        ("[hooks.signup]", "[hooks]\nsignup = 7", "hooks.signup: must be a table"),
        (
            'hook = "signup"',
            'hook = "sign-up"',
            "hooks.sign-up: a sequence starts at this hook, and there is no such hook",
        ),
        (
            "[sequences.welcome]",
            "[sequences.Welcome-1]",
            "sequences.Welcome-1: 'Welcome-1' is not a name of small letters, digits and underscores",
        ),
        (
            "[hooks.signup]",
            "[hooks.signup]\n[hooks.referral]",
            "hooks.referral: is not a hook; there are signup, noshow, maybe, onboarding, booking, calendly, calcom",
        ),
        (
            'flow = "signup"',
            'flow = "Sign_Up"',
            f"sequences.welcome.flow: 'businessx-Sign_Up-handler' is not a handler name {OF_A_HANDLER}",
        ),
        ('flow = "signup"\n', "", "sequences.welcome.flow: is missing"),
        (
            '"opt_in"',
            '"opted"',
            f"sequences.welcome.starts_on: 'opted' is none of {EVENTS}",
        ),
        ('"marketing"', '"spam"', "sequences.welcome.kind: 'spam' is none of marketing, transactional"),
        (
            'email_1 = "website"',
            'email_1 = "nobody"',
            "sequences.welcome.email_1: 'nobody' is none of payload, website, funnel",
        ),
        (
            'hook = "funnel"',
            'hook = "nobody"',
            "sequences.welcome.email_1_by_entrance.hook: 'nobody' is none of payload, website, funnel",
        ),
        (
            'reentry = "after_end"',
            'reentry = "always"',
            "sequences.welcome.reentry: 'always' is none of never, after_end",
        ),
        (
            'reentry = "after_end"',
            'exits = ["bookings"]',
            f"sequences.welcome.exits: 'bookings' is none of {EVENTS}",
        ),
        ('"opt_in"', '"reply"', "sequences.welcome.starts_on: a reply ends sequences, and starts none"),
        ('reentry = "after_end"', 'reply_ends = "no"', "sequences.welcome.reply_ends: must be true or false"),
        (
            'reentry = "after_end"',
            'reply_ends = false\nexits = ["reply"]',
            "sequences.welcome.reply_ends: is false, and exits has reply: leave one of them out",
        ),
        ('reentry = "after_end"', "per_occurrence = 1", "sequences.welcome.per_occurrence: must be true or false"),
        ("08:00-20:00", "20:00-08:00", "sequences.welcome.window: '20:00-08:00' closes before it opens"),
        ("08:00-20:00", "all day", "sequences.welcome.window: 'all day' is not a window such as 08:00-20:00"),
        ("08:00-20:00", "08:00-24:30", "sequences.welcome.window: hour must be in 0..23"),
        ('"3d"', '"3 days"', "sequences.welcome.max_lateness: '3 days' is not a duration such as 5m, 24h or 3d"),
        ('"0d"', '"-1d"', "sequences.welcome.steps[1].after: '-1d' is not a duration such as 5m, 24h or 3d"),
        ('after = "0d", ', "", "sequences.welcome.steps[1].after: give either after or before"),
        (
            'after = "0d"',
            'after = "0d", before = "1d"',
            "sequences.welcome.steps[1].after: give either after or before",
        ),
        (
            "test_after = 0",
            "test_after = -1",
            "sequences.welcome.steps[1].test_after: must be a whole number from 0 to 1,000,000",
        ),
        (
            '"welcome_1"',
            '"Welcome 1"',
            "sequences.welcome.steps[1].template: 'Welcome 1' is not a name of small letters, digits and underscores",
        ),
        ('template = "welcome_1", ', "", "sequences.welcome.steps[1].template: is missing"),
        ("test_after = 1,", "test_after = 1, delay = 3,", "sequences.welcome.steps[2].delay: is not a known key"),
        ('"skip"', '"send"', "sequences.welcome.steps[2].after_deadline: 'send' is not skip"),
        ('"Two.", ', "", "tips.default: must be 3 tips"),
        (
            '"skip"',
            '"skip", season_only = true',
            "sequences.welcome.steps[2].season_only: the campaign has no season, so it is never out of season",
        ),
        *[
            ('deadline = "02-29"', f'deadline = "02-29"\nseason = {season}', fault)
            for season, fault in [
                ("7", "season: must be a table"),
                ('{ to = "12-05" }', "season.from: is missing"),
                ('{ from = "10-01" }', "season.to: is missing"),
                ('{ from = "10-01", to = "12-32" }', "season.to: '12-32' is not a month and day such as 12-05"),
                ('{ from = "10-01", to = "12-05", until = "1" }', "season.until: is not a known key"),
                ('{ from = "10-01", to = "12-05" }', "deadline: 02-29 lies outside the season 10-01 to 12-05"),
                ('{ from = "11-01", to = "02-15" }', "deadline: 02-29 lies outside the season 11-01 to 02-15"),
            ]
        ],
    ],
)
def test_a_fault_is_named_with_file_key_and_reason(old, new, fault):
    assert BUSINESSX.count(old) >= 1
    found = faults(BUSINESSX.replace(old, new, 1))
    assert f"businessx.toml: {fault}" in found


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("timezone =", "timezon =", "timezon: is not a known key; did you mean timezone?"),
        (
            'starts_on = "opt_in"',
            'start_on = "opt_in"',
            "sequences.welcome.start_on: is not a known key; did you mean starts_on?",
        ),
        ('name = "businessx"\n', "", "name: is missing"),
        ('"Europe/Berlin"', "5", "timezone: must be a text"),
        (
            "test_after = 1,",
            'test_after = "1",',
            "sequences.welcome.steps[2].test_after: must be a whole number from 0 to 1,000,000",
        ),
        (
            "test_after = 1,",
            "test_after = 999999999999999999,",
            "sequences.welcome.steps[2].test_after: must be a whole number from 0 to 1,000,000",
        ),
        ('title = "All year round"', 'title = "All\\nyear"', "title: must be one line of at most 120 characters"),
        (
            'title = "All year round"',
            "title = “All year”",
            'Invalid value (at line 3, column 9): title = “All year”; texts stand in straight quotes (")',
        ),
        (
            'title = "All year round"',
            'title\u00a0= "All year"',
            "Expected '=' after a key in a key/value pair (at line 3, column 6): title = \"All year\"" + UNSEEN,
        ),
        (
            'title = "All year round"',
            'title = "All year"\ntitle = "Ever"',
            'Cannot overwrite a value (at line 4, column 15): title = "Ever"; this stands twice',
        ),
        (
            "[sequences.welcome]",
            "[sequences.grüße]",
            f"Expected ']' at the end of a table declaration (at line 12, column 14): [sequences.grüße]; {NAMES}",
        ),
        ('title = "All year round"', "title = " + "[" * 9999, "has lists within lists that nobody can read"),
        ("[sequences.welcome]", "[[sequences.welcome]]", "sequences.welcome: must be a table"),
        (
            "[sequences.welcome]",
            "[sequences.Welcome]",
            "sequences.Welcome: 'Welcome' is not a name of small letters, digits and underscores",
        ),
        ('hook = "signup"\n', "", "sequences.welcome.hook: is missing"),
        (
            'kind = "marketing"',
            'kind = "marketing"\nexits = ["opt_in"]',
            "sequences.welcome.exits: has opt_in, which starts the sequence: nobody would ever be in it",
        ),
    ],
)
def test_one_mistake_is_one_sentence(old, new, fault):
    assert BUSINESSX.count(old) >= 1
    (told,) = faults(BUSINESSX.replace(old, new, 1))
    assert told == f"businessx.toml: {fault}"


@pytest.mark.parametrize(
    ("told", "taken"),
    [("/assets/x.pdf", True), ("https://x.example/x.pdf", True), ("", True), ("//x.example", False), ("x.pdf", False)],
)
def test_a_download_is_a_path_of_ours_or_an_https_address(told, taken):
    text = BUSINESSX.replace("capacity = 10", f'capacity = 10\npdf_download_link = "{told}"')
    if taken:
        assert parse("businessx.toml", text).pdf_download_link == told
    else:
        assert faults(text) == [f"businessx.toml: pdf_download_link: {told!r} is not an https address"]
