"""Change the pure rules in small ways, one at a time, and see whether their tests notice: `make mutants`.

mutmut makes the changes in a copy of the tree, `mutants/`, and runs for each only the tests that reach it. All of them
take hours, so a seeded sample is tried, the same each time; `python -m tests.mutants 1000 7` takes more, or others.
"""

import gc
import json
import os
import random
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import _lru_cache_wrapper
from pathlib import Path

from sandbox.command_line import command_line
from sandbox.processes import ROOT

MUTANTS = ROOT / "mutants"
# The module with the fewest: trying its mutants makes all the others.
FIRST = "funnel_app.rules.states.*"
LEAST_KILLED = 0.85
# Imports only go down, so no other room's tests reach these.
REACHED_BY = {
    "rules": ("tests/rules",),
    "letters": ("tests/letters",),
    "campaigns": ("tests/campaigns", "tests/rules", "tests/letters/test_starters.py"),
}
# What mutmut notes of a mutant: a test failed, or it took too long, or memory or the processor ran out.
KILLED = {1, 3, 24, 36, -24, 152, 255}


def pytest_sessionstart() -> None:
    """Forget what was cached: mutmut forks each run from one that filled the caches with the unchanged code."""
    for cached in gc.get_objects():
        if isinstance(cached, _lru_cache_wrapper):
            cached.cache_clear()


def mutmut(*names: str) -> None:
    """Try these mutants; what came of them is noted beside the changed files."""
    command = [str(Path(sys.executable).parent / "mutmut"), "run", "--max-children", "2", *names]
    done = subprocess.run(command, cwd=ROOT, check=False)
    if done.returncode:
        sys.exit(f"mutmut ended with {done.returncode}")


def noted() -> dict[str, int | None]:
    """Return every mutant with what came of it; None where it was not tried."""
    notes = (json.loads(path.read_text()) for path in sorted(MUTANTS.rglob("*.meta")))
    return {name: code for note in notes for name, code in note["exit_code_by_key"].items()}


def fails(name: str) -> bool:
    """Say whether any test of the rooms that may reach a mutant fails with it.

    mutmut runs only the tests that it saw reach a function, and misses what is made at import, or got from a cache.
    """
    command = [sys.executable, "-m", "pytest", "-qx", "-p", "no:cacheprovider", *REACHED_BY[name.split(".")[1]]]
    changed = {**os.environ, "MUTANT_UNDER_TEST": name}
    return subprocess.run(command, cwd=MUTANTS, env=changed, stdout=subprocess.DEVNULL, check=False).returncode != 0


def main(count: int = 300, seed: int = 18) -> int:
    """Try a sample; 1 where fewer are noticed than should be."""
    mutmut(FIRST)
    everything = sorted(noted())
    sample = random.Random(seed).sample(everything, min(count, len(everything)))
    mutmut(*sample)
    became = noted()
    doubtful = [name for name in sample if became[name] not in KILLED]
    with ThreadPoolExecutor(2) as pool:
        alive = [name for name, failed in zip(doubtful, pool.map(fails, doubtful), strict=True) if not failed]
    share = 1 - len(alive) / len(sample)
    rooms = Counter(name.split(".")[1] for name in sample)
    print(f"{share:.1%} of {len(sample)} mutants (of {len(everything)}; {dict(rooms)}) were noticed. Not noticed:")
    for name in alive:
        print(f"  {name}")
    return int(share < LEAST_KILLED)


if __name__ == "__main__":
    sys.exit(main(**command_line(__doc__, count=300, seed=18)))
