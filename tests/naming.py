"""What a document names: its blocks of shell as commands, its spans of code, and what each of them must be."""

import re
import shlex
from collections.abc import Iterator, Sequence
from functools import cache

from click import Argument, Choice, Command, Context, Group
from click.exceptions import UsageError

from funnel_app.commands import coolify
from funnel_app.commands.cli import COMMANDS, own_command
from funnel_app.flows.monitoring.statistics.metrics import KINDS
from sandbox.demo import SETTINGS as DEMO_SETTINGS
from sandbox.processes import ROOT
from sandbox.run import SETTINGS as RUN_SETTINGS
from tests.test_guards import TEXTS, read_settings

GENERATED = re.compile(r"<!-- table: .*?<!-- /table -->", re.DOTALL)
BLOCK = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```", re.DOTALL | re.MULTILINE)
SPAN = re.compile(r"`([^`]+)`")
NAME = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*")
# What is set for others than Funnel's processes: programs of this repository, and the examples' own.
OTHER_SETTINGS = {
    "COOLIFY_URL", "COOLIFY_TOKEN", "COOLIFY_REPOSITORY", "COOLIFY_PRIVATE_KEY_UUID", "COOLIFY_GITHUB_APP_UUID",
    "FUNNEL_URL", "PREFECT_API_URL", "SANDBOX_URL", "TEST_DATABASES",
}  # fmt: skip
# Options of docker, which takes what stands behind those with a value.
DOCKER = {
    **dict.fromkeys(("-d", "-it", "--rm", "--read-only"), False),
    **dict.fromkeys(("-t", "--name", "--env-file", "-e", "-v", "-p", "--tmpfs", "--user", "--cap-drop"), True),
    **dict.fromkeys(("--security-opt", "--stop-timeout"), True),
}


def by_hand(text: str) -> str:
    """Return what of a document was written by hand: all but the tables that are made from the code."""
    return GENERATED.sub("", text)


def spans(text: str) -> Iterator[str]:
    """Go through everything between backticks in what was written by hand, outside of blocks."""
    for span in SPAN.findall(BLOCK.sub("", by_hand(text))):
        yield " ".join(span.split())


def shell_lines(text: str) -> Iterator[str]:
    """Go through the commands of the blocks of shell, each as one string, however many lines it has."""
    for block in BLOCK.finditer(by_hand(text)):
        line = ""
        for more in block["text"].splitlines() if block["language"] == "sh" else ():
            line = f"{line}{more.removesuffix(chr(92))}\n"
            if not more.endswith("\\") and (words := _words(line)) is not None:
                if words:
                    yield line
                line = ""


def _words(line: str) -> list[str] | None:
    """Return the words of a command; None where a quotation goes on in the next line."""
    try:
        return shlex.split(line, comments=True)
    except ValueError:
        return None


class Shell:
    """Resolves commands without running them; every method returns what is wrong, in words, or None."""

    def __init__(self) -> None:
        ours = {name: own_command(name) for name in COMMANDS}
        self.commands = {**ours, "coolify": coolify.group}

    def fault(self, line: str, *, whole: bool = True) -> str | None:
        """Return what is wrong with a command; `whole`: it can be typed as it stands, with all that it needs."""
        words = shlex.split(line, comments=True)
        while words and "=" in words[0] and NAME.fullmatch(words[0].split("=")[0]):
            if fault := self.setting_fault(words.pop(0)):
                return fault
        program, *more = words
        program = program.removeprefix(".venv/bin/")
        match program:
            case "make":
                return self._make(more)
            case "export":
                return next(filter(None, map(self.setting_fault, more)), None)
            case ".":
                return None if more in ([DEMO_SETTINGS], [RUN_SETTINGS]) else f"there is nothing to source at {more}"
            case "flask":
                return self._click(
                    self.commands | {"coolify": coolify.group},
                    more[2:] if more[:2] == ["--app", "wsgi"] else more,
                    whole,
                )
            case "python":
                return self._module(more, whole)
            case "docker":
                return self._docker(more, whole)
            case "pytest":
                return self._files([word for word in more if word.endswith(".py")])
            case "gunicorn":
                return None if more == ["wsgi:app"] else f"gunicorn {more}"
            case "curl":
                return None  # these are made for real by a test
            case _:
                known = (ROOT / "requirements-dev.in").read_text().split()
                return None if program in known else f"nobody knows the program {program}"

    def has_option(self, option: str) -> bool:
        """Say whether any command has this option."""
        return (
            any(option in (*param.opts, *param.secondary_opts) for command in self._all() for param in command.params)
            or option == "--help"
        )

    def _all(self) -> Iterator[Command]:
        for command in self.commands.values():
            yield command
            yield from command.commands.values() if isinstance(command, Group) else ()

    @staticmethod
    def setting_fault(word: str) -> str | None:
        """Return what is wrong with `NAME`, or with `NAME=value`."""
        name, _, value = word.partition("=")
        if name not in read_settings() | OTHER_SETTINGS:
            return f"nobody reads the setting {name}"
        scheme = re.match(r"([a-z]+)(?:://|$)", value)
        return f"nothing is called {value}" if scheme and scheme[1] not in words_of_the_code() else None

    @staticmethod
    def _make(words: Sequence[str]) -> str | None:
        makefile = (ROOT / "Makefile").read_text()
        for word in words:
            name, _, value = word.partition("=")
            known = f"$({name})" in makefile or f"$(or $({name})," in makefile if value else f"\n{name}:" in makefile
            if not known or (name == "BENCH" and not (ROOT / f"bench/{value}.py").exists()):
                return f"make knows no {word}"
        return None

    def _click(self, commands: dict[str, Command], words: Sequence[str], whole: bool) -> str | None:
        name, *more = words
        command = commands.get(name)
        if command is None:
            return f"there is no command {name}"
        if isinstance(command, Group) and more and more[0] in command.commands:
            return self._click(dict(command.commands), more, whole)
        if isinstance(command, Group) and (more or whole) and not command.invoke_without_command:
            return f"there is no command {' '.join(words)}"
        return _misused(command, more, whole)

    def _module(self, words: Sequence[str], whole: bool) -> str | None:
        if words[:2] == ["-m", "pytest"]:
            return self._files([word for word in words[2:] if "/" in word])
        if words[0] != "-m":
            return f"python {words}"
        path = ROOT / words[1].replace(".", "/")
        if not path.with_suffix(".py").exists() and not (path / "__main__.py").exists():
            return f"there is no module {words[1]}"
        return self._click(self.commands, ["coolify", *words[2:]], whole) if "coolify" in words[1] else None

    def _docker(self, words: Sequence[str], whole: bool) -> str | None:
        verb, *more = words
        if (verb, *more) == ("compose", "up", "-d"):
            return None
        if verb not in {"build", "run", "exec", "stop"}:
            return f"docker {verb}"
        while more and more[0].startswith("-"):
            option = more.pop(0)
            if option not in DOCKER:
                return f"docker {verb} {option}"
            value = more.pop(0) if DOCKER[option] else ""
            if option == "-e" and (fault := self.setting_fault(value)):
                return fault
            if option == "-v" and not value.endswith(":/data"):
                return f"the image keeps nothing at {value}"
        if more and more[0] != ("." if verb == "build" else "funnel"):
            return f"docker {verb} of {more[0]}"
        return self.fault(shlex.join(more[1:]), whole=whole) if more[1:] else None

    @staticmethod
    def _files(names: Sequence[str]) -> str | None:
        return next((f"there is no {name}" for name in names if not (ROOT / name).exists()), None)


def _misused(command: Command, words: Sequence[str], whole: bool) -> str | None:
    try:
        given, rest, _ = command.make_parser(Context(command)).parse_args(list(words))
    except UsageError as fault:
        return f"{command.name}: {fault.format_message()}"
    if rest:
        return f"{command.name} takes no {rest}"
    for param in command.params:
        value = given.get(param.name or "")
        if whole and isinstance(param, Argument) and param.required and not value:
            return f"{command.name} wants {param.name}"
        if isinstance(param.type, Choice) and isinstance(value, str) and value not in param.type.choices:
            return f"{command.name}: {value} is none of {', '.join(param.type.choices)}"
    return None


@cache
def words_of_the_code() -> frozenset[str]:
    """Return every word of what is no document and no test: of code, files and settings; and the figures' names."""
    code = [name for name in TEXTS if not name.endswith((".md", ".txt")) and not name.startswith("tests/")]
    words = re.findall(r"\w+", " ".join([*code, *((ROOT / name).read_text() for name in code)]))
    return frozenset([*words, *(f"funnel_{name}" for name in KINDS)])


def words_of_blocks(text: str) -> frozenset[str]:
    """Return every word of a document's own blocks that are no shell: of its examples."""
    blocks = (block["text"] for block in BLOCK.finditer(text) if block["language"] != "sh")
    return frozenset(re.findall(r"\w+", " ".join(blocks)))
