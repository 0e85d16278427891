"""The settings of a running demo in a file, so that commands in another terminal speak to it."""

import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def settings_file(file: Path, settings: Mapping[str, str]) -> Iterator[None]:
    """Keep a file that a shell can read with `. FILE` for the time of the block, readable by its owner alone."""
    file.parent.mkdir(exist_ok=True)
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_text("".join(f"export {name}={shlex.quote(value)}\n" for name, value in settings.items()))
    try:
        yield
    finally:
        file.unlink(missing_ok=True)
