"""Callers: one person is one key, whatever address of theirs they come from or write to."""

import pytest

from funnel_app.rules.caller import caller_key, mailbox_of

KEYS = {
    "203.0.113.7": "203.0.113.7",
    "::ffff:203.0.113.7": "203.0.113.7",
    "::FFFF:cb00:7107": "203.0.113.7",
    "2001:db8:1:2::1": "2001:db8:1:2::/64",
    "2001:0DB8:0001:0002:ffff:ffff:ffff:ffff": "2001:db8:1:2::/64",
    "2001:db8:1:3::1": "2001:db8:1:3::/64",
    "fe80::1%eth0<script>": "fe80::/64",
    "::1": "::/64",
    "": "",
    "unix:": "unix:",
    "no address" * 50: ("no address" * 50)[:64],
}
MAILBOXES = {
    "ana@resend.dev": "ana@resend.dev",
    "ana+1@resend.dev": "ana@resend.dev",
    "ana+a+b@resend.dev": "ana@resend.dev",
    "+ana@resend.dev": "+ana@resend.dev",
    "delivered+ana@resend.dev": "delivered+ana@resend.dev",
    "delivered+ana@example.com": "delivered@example.com",
}


@pytest.mark.parametrize("address", KEYS)
def test_a_callers_key(address):
    assert caller_key(address) == KEYS[address]


def test_who_names_no_address_has_no_key_of_another():
    assert caller_key(None) == ""


@pytest.mark.parametrize("address", MAILBOXES)
def test_a_mailboxs_key(address):
    assert mailbox_of(address) == MAILBOXES[address]
