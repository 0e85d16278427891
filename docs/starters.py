"""Write the fingerprints of all starter texts that there ever were, so that pages which still hold one are known.

What the file has stays in it, and today's starters are added; with --history also those of each commit.
"""

import argparse
import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from funnel_app.flows.templates.starters import FINGERPRINTS, LAYOUT, STARTERS, fingerprint, framed, parted

ROOT = Path(__file__).parents[1]
TEXTS, FRAME = STARTERS.relative_to(ROOT), LAYOUT.relative_to(ROOT)

Known = dict[str, dict[str, dict[str, str]]]


def main(history: bool = False) -> None:
    """Bring the file of fingerprints up to the starters."""
    known: Known = json.loads(FINGERPRINTS.read_text("utf-8")) if FINGERPRINTS.exists() else {}
    for commit, day in _commits() if history else ():
        _add(known, day, dict(_texts_of(commit)), _show(commit, str(FRAME)))
    today = {path.stem: path.read_text("utf-8") for path in STARTERS.glob("*.html")}
    _add(known, f"{datetime.now(UTC):%Y-%m-%d}", today, LAYOUT.read_text("utf-8"))
    FINGERPRINTS.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", "utf-8")


def _add(known: Known, day: str, texts: dict[str, str], layout: str) -> None:
    for key, text in texts.items():
        subject, body = framed(text, layout) if layout else _whole(text)
        entry = known.setdefault(key, {"bodies": {}, "subjects": {}})
        entry["bodies"].setdefault(fingerprint(body), day)
        entry["subjects"].setdefault(fingerprint(subject), day)


def _whole(text: str) -> tuple[str, str]:
    """Return subject and body of a starter from the time before they shared a layout."""
    parts, body = parted(text)
    return parts["subject"], body


def _commits() -> Iterator[tuple[str, str]]:
    """Yield each commit that changed a starter or the layout, with its day, from the first on."""
    listed = _git("log", "--full-history", "--reverse", "--date-order", "--format=%H %as", "--", str(TEXTS), str(FRAME))
    for line in listed.splitlines():
        commit, day = line.split()
        yield commit, day


def _texts_of(commit: str) -> Iterator[tuple[str, str]]:
    for name in _git("ls-tree", "-r", "--name-only", commit, f"{TEXTS}/").splitlines():
        yield Path(name).stem, _show(commit, name)


def _show(commit: str, name: str) -> str:
    return _git("show", f"{commit}:{name}")


def _git(*arguments: str) -> str:
    """Return what git prints; nothing where it fails, as for a file that a commit does not have."""
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False).stdout


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m docs.starters", description=__doc__)
    parser.add_argument("--history", action="store_true")
    main(parser.parse_args().history)
