"""`make audit`: ask pip-audit about every pinned package; say so where its data cannot be reached."""

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from sandbox.command_line import command_line

FILES = ("requirements.txt", "requirements-dev.txt")
COMMAND = ("-m", "pip_audit", "--format", "json", "--progress-spinner", "off", "--require-hashes", "--disable-pip")


def audit(file: str) -> Mapping[str, Any] | None:
    """Return what pip-audit says of a file; None where it cannot say anything."""
    done = subprocess.run([sys.executable, *COMMAND, "-r", file], capture_output=True, text=True, check=False)
    try:
        report: Mapping[str, Any] = json.loads(done.stdout)
    except json.JSONDecodeError:
        return None
    return report


def verdict(file: str, report: Mapping[str, Any] | None) -> tuple[list[str], bool]:
    """Return what to print of a report, and whether a known fault is in it."""
    rows = report["dependencies"] if report else []
    unknown = [row["name"] for row in rows if "skip_reason" in row]
    faults = [(row["name"], row["version"], vuln) for row in rows for vuln in row.get("vulns", [])]
    lines = [f"{name} {version}: {v['id']}, fixed in {v['fix_versions'] or 'none yet'}" for name, version, v in faults]
    if len(unknown) == len(rows):
        return [f"{file}: skipped, the data of known faults cannot be reached from here"], False
    if unknown:
        lines.append(f"{file}: could not be looked up: {', '.join(unknown)}")
    return [*lines, f"{file}: {len(rows) - len(unknown)} packages looked up, {len(faults)} known faults"], bool(faults)


def main() -> int:
    """Audit all files; 1 where one holds a package with a known fault."""
    verdicts = [verdict(file, audit(file)) for file in FILES]
    for lines, _ in verdicts:
        print("\n".join(lines))
    return int(any(faulty for _, faulty in verdicts))


if __name__ == "__main__":
    command_line(__doc__)
    sys.exit(main())
