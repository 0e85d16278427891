"""Addresses: one person in every spelling, and one that mail servers take."""

import re
from dataclasses import replace

import pytest
from email_validator import EmailNotValidError, validate_email

from funnel_app.flows.addresses import checked, looked_up, mailable, normalised
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.tracing.trace import trace
from tests.factories import make_deps
from tests.flows.leads import call, email_ids, write_templates

ASCII = "ana@xn--bcher-kva.example"


@pytest.mark.parametrize("address", ["Ana@bücher.example", " ana@BÜCHER.example", "ANA@xn--bcher-kva.EXAMPLE"])
def test_one_person_in_every_spelling(address):
    assert normalised(address) == looked_up(address) == ASCII


@pytest.mark.parametrize(
    "local", ["ana", "Ana.Roy+news_1", "a" * 64, "a" * 65, "ana.", "ana..roy", "jos\u00e9", '"ana roy"']
)
@pytest.mark.parametrize(
    "domain", ["Gmail.COM", "xn--bcher-kva.example.com", "gmail.com.", "x.test", "a_b.com", "b\u00fccher.com"]
)
def test_an_address_is_judged_as_the_library_judges_it_though_it_sees_each_domain_once(local, domain):
    address = f"{local}@{domain}"
    try:
        found = validate_email(address, check_deliverability=False)
    except EmailNotValidError as fault:
        with pytest.raises(EmailNotValidError, match=re.escape(str(fault))):
            checked(address)
    else:
        assert checked(address) == (found.normalized, found.local_part, found.ascii_domain)


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
