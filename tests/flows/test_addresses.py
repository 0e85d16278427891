"""Addresses: one person in every spelling, and one that mail servers take."""

from dataclasses import replace

import pytest
from email_validator import EmailNotValidError

from funnel_app.flows.addresses import looked_up, mailable, normalised
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.tracing.trace import trace
from tests.factories import make_deps
from tests.flows.leads import call, email_ids, write_templates

ASCII = "ana@xn--bcher-kva.example"


@pytest.mark.parametrize("address", ["Ana@bücher.example", " ana@BÜCHER.example", "ANA@xn--bcher-kva.EXAMPLE"])
def test_one_person_in_every_spelling(address):
    assert normalised(address) == looked_up(address) == ASCII


def test_what_is_no_address_is_nobodys():
    with pytest.raises(EmailNotValidError):
        normalised("ana@")
    assert looked_up(" Ana@ ") == "ana@"
    assert mailable("ana@") == "ana@"


def test_a_letter_goes_to_the_ascii_domain_and_the_trace_is_found_in_either_spelling(sqlite):
    deps = make_deps(sqlite, testing_mode=False)
    write_templates(deps)
    receipt = enrol(deps, replace(call("Ana@bücher.example"), email_norm=ASCII))
    deliver(deps, email_ids(receipt)[:1])
    assert deps.mailer.sent_to() == [mailable("Ana@bücher.example")] == ["Ana@xn--bcher-kva.example"]
    for address in ("ana@bücher.example", ASCII):
        assert trace(deps, address)["contact"]["email"] == "Ana@bücher.example"
