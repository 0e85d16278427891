"""The demo's check of Notion: one up-to-date row per person and per sequence."""

from collections import Counter
from collections.abc import Iterator, Sequence

from sandbox.scenario import Lead
from sandbox.stack import Stack, look_until

TOLD = ("Email", "Sequence", "Status", "Delivered", "Last Problem")


def desk_faults(stack: Stack, scenario: Sequence[Lead]) -> Iterator[str]:
    """Wait until no row in Notion is running, print the rows, and return their faults."""
    wanted = Counter((lead.address, expected.sequence) for lead in scenario for expected in lead.expected)
    addresses = {lead.address for lead in scenario}
    rows = _settled_rows(stack, addresses, sum(wanted.values()))
    people = Counter(row["Email"] for row in stack.rows("Contacts") if row["Email"] in addresses)
    print(f"\nWhat Notion shows the owner: {sum(people.values())} contacts, {len(rows)} sequences\n")
    for row in rows:
        print("  {:<28} {:<17} {:<38} {:>2} delivered  {}".format(*(row.get(name, "") for name in TOLD)).rstrip())
    if people != Counter(lead.address for lead in scenario):
        yield f"Notion's contacts are {dict(people)}"
    found = Counter((row["Email"], row["Sequence"]) for row in rows)
    yield from (
        f"Notion has {found[key]} rows of {key}, not {wanted[key]}" for key in wanted if found[key] != wanted[key]
    )
    yield from (f"Notion says that {row['Email']}'s {row['Sequence']} is running" for row in rows if _is_running(row))


def _settled_rows(stack: Stack, addresses: set[str], count: int) -> list[dict[str, str]]:
    return look_until(
        lambda: _rows_of(stack, addresses), lambda rows: len(rows) >= count and not any(map(_is_running, rows))
    )


def _rows_of(stack: Stack, addresses: set[str]) -> list[dict[str, str]]:
    return [row for row in stack.rows("Email Sequence") if row["Email"] in addresses]


def _is_running(row: dict[str, str]) -> bool:
    return row.get("Status", "") in {"", "Running"}
