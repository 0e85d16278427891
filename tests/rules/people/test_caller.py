"""Callers: one person is one key, whatever address of theirs they come from or write to."""

import pytest

from funnel_app.rules.people.caller import caller_key, mailbox_of, site_key

KEYS = {
    "203.0.113.7": "203.0.113.7",
    "::ffff:203.0.113.7": "203.0.113.7",
    "::FFFF:cb00:7107": "203.0.113.7",
    "2001:db8:1:2::1": "2001:db8:1:2::/64",
    "2001:0DB8:0001:0002:ffff:ffff:ffff:ffff": "2001:db8:1:2::/64",
    "2001:db8:1:3::1": "2001:db8:1:3::/64",
    "fe80::1%eth0<script>": "fe80::/64",
    "::1": "::/64",
    "203.0.113.7:5123": "203.0.113.7",
    "[2001:db8:1:2::1]:443": "2001:db8:1:2::/64",
    "[fe80::1%eth0]:443": "fe80::/64",
    "2002:cb00:7107:99::1": "203.0.113.7",
    "2001:0:4136:e378:8000:63bf:34ff:8ef8": "203.0.113.7",
    "64:ff9b::cb00:7107": "203.0.113.7",
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
    "a.n.a+1@gmail.com": "ana@gmail.com",
    "an.a@googlemail.com": "ana@gmail.com",
    "a.n.a@example.com": "a.n.a@example.com",
}


@pytest.mark.parametrize("address", KEYS)
def test_a_callers_key(address):
    assert caller_key(address) == KEYS[address]


@pytest.mark.parametrize(
    ("address", "site"),
    [
        ("2001:db8:1:2::1", "2001:db8:1::/48"),
        ("2001:db8:1:ffff::9", "2001:db8:1::/48"),
        ("203.0.113.7", None),
        ("", None),
    ],
)
def test_a_sites_key(address, site):
    assert site_key(address) == site


def test_who_names_no_address_has_no_key_of_another():
    assert caller_key(None) == ""


@pytest.mark.parametrize("address", MAILBOXES)
def test_a_mailboxs_key(address):
    assert mailbox_of(address) == MAILBOXES[address]
