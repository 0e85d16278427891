"""Contact: what is kept of a person beside what a call says of them."""

from dataclasses import replace

from funnel_app.rules.people.contact import EARLIER, earlier_addresses, with_earlier
from tests.rules.calls.test_take import call, played


def test_each_corrected_address_is_kept_the_oldest_first_and_leaves_with_all_else():
    found, _ = played(call(contact={"utm_source": "ad"}))
    contact = found.contacts["ana@resend.dev"]
    assert earlier_addresses(contact) == []
    for address in ("anna@resend.dev", "ama@resend.dev"):
        contact = replace(contact, properties=with_earlier(contact, address))
    assert earlier_addresses(contact) == ["anna@resend.dev", "ama@resend.dev"]
    assert contact.properties["utm_source"] == "ad"
    assert earlier_addresses(replace(contact, properties={EARLIER: "no list"})) == []
