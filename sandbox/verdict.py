"""The demo's verdict: each lead's end in the words of `flask trace`, and every difference from the scenario."""

import json
from collections import Counter
from collections.abc import Collection, Iterator

from sandbox.mirrored import desk_faults
from sandbox.scenario import OPEN, SCENARIO, Lead, Observation
from sandbox.stack import Stack, look_until


def all_faults(stack: Stack, emails: dict[str, list[Observation]], mailbox: str) -> list[str]:
    """Print everybody's outcome, and return the faults; empty if all is well."""
    return [
        *desk_faults(stack, SCENARIO),
        *_crm_faults(stack, emails),
        *_reply_faults(stack, mailbox),
        *_verdict(stack, emails),
        *_inbox_faults(stack, emails),
    ]


def _verdict(stack: Stack, emails: dict[str, list[Observation]]) -> Iterator[str]:
    """Print each lead's end in the words of `flask trace`, and return the faults."""
    missing = 0
    delivered = sum(email.delivered for rows in emails.values() for email in rows)
    stopped = sum(email.state not in OPEN and not email.delivered for rows in emails.values() for email in rows)
    print("\nWhat became of everybody:")
    timelines = json.loads(stack.processes.run("-m", "sandbox.traces", *(lead.address for lead in SCENARIO)))
    for lead, traced in zip(SCENARIO, timelines, strict=True):
        print(f"\n  {lead.name}")
        sentences = [f"{row['sequence']:<17} {row['sentence']}" for row in traced["enrolments"]]
        faults = list(faults_of(lead, emails[lead.address]))
        print("\n".join(f"    {words}" for words in [*sentences, *(faults or ["as expected"])]))
        missing += len(faults)
        yield from (f"{lead.name}: {fault}" for fault in faults)
    print(
        f"\n{delivered} of {delivered + missing} emails delivered, {stopped} stopped with a reason, "
        f"{len(SCENARIO)} people"
    )


def undelivered(emails: dict[str, list[Observation]]) -> list[str]:
    """Return each email that did not come, or should not have, by its lead."""
    return [f"{lead.name}: {fault}" for lead in SCENARIO for fault in faults_of(lead, emails[lead.address])]


def faults_of(lead: Lead, emails: list[Observation]) -> Iterator[str]:
    """Return the faults in what a lead received."""
    begun = {(email.sequence, email.occurrence) for email in emails}
    wanted = {(expected.sequence, expected.occurrence): expected for expected in lead.expected}
    yield from (f"{_named(sequence, occurrence)} began" for sequence, occurrence in begun - wanted.keys())
    yield from (f"{_named(sequence, occurrence)} never began" for sequence, occurrence in wanted.keys() - begun)
    for email in emails:
        expected = wanted.get((email.sequence, email.occurrence))
        if expected and (fault := expected.fault(email)):
            yield f"{email.sequence} {fault}"


def _named(sequence: str, occurrence: str) -> str:
    return f"{sequence} {occurrence}".rstrip()


def _inbox_faults(stack: Stack, emails: dict[str, list[Observation]]) -> Iterator[str]:
    expected = sum(email.delivered or email.state == "bounced" for rows in emails.values() for email in rows)
    arrived = sum(set(email["to"]) <= emails.keys() for email in stack.received())
    if arrived != expected:
        yield f"the inbox holds {arrived} emails, and {expected} were expected: each once"


def _crm_faults(stack: Stack, emails: dict[str, list[Observation]]) -> Iterator[str]:
    """Return the deliveries that the CRM was not sent within seconds."""
    delivered = sum(email.delivered for rows in emails.values() for email in rows)
    told = look_until(lambda: _reported_delivered(stack, emails.keys()), lambda told: told >= delivered)
    counted = Counter(_lead_events(stack, emails.keys()))
    print(f"\nWhat the CRM was told: {', '.join(f'{count} {kind}' for kind, count in sorted(counted.items()))}")
    if told != delivered:
        yield f"the CRM was told of {told} deliveries, and there are {delivered}"


def _reply_faults(stack: Stack, mailbox: str) -> Iterator[str]:
    """Return the faults of the one reply: it must be in the chat and in the owner's mailbox."""
    said = look_until(lambda: [words for words in stack.said() if "replied" in words], bool)
    print("\nWhat the owner's chat was told:", *"\n".join(said).splitlines(), sep="\n  ")
    if len(said) != 1:
        yield f"the chat was told of {len(said)} answers, and there is one"
    forwarded = sum(email["to"] == [mailbox] for email in stack.received())
    if forwarded != 1:
        yield f"{forwarded} answers went on to {mailbox}, and there is one"


def _reported_delivered(stack: Stack, addresses: Collection[str]) -> int:
    return sum(kind == "email.delivered" for kind in _lead_events(stack, addresses))


def _lead_events(stack: Stack, addresses: Collection[str]) -> list[str]:
    told = {event["id"]: event for event in stack.told()}  # at least once: what comes again has the same id
    # Of a lead whom a visitor erased no address is told.
    return [event["type"] for event in told.values() if event["data"]["lead"].get("email") in addresses]
