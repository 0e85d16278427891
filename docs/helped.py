"""The table of commands, made from the help that each command gives of itself."""

from collections.abc import Iterator

from click import Argument, Command, Context, Group, Option

from docs.markdown import markdown
from funnel_app.commands import coolify
from funnel_app.commands.cli import COMMANDS, own_command

FLASK = "flask --app wsgi"
BY_ITSELF = "python -m funnel_app.commands.coolify"
TOLD_ONCE = frozenset({"--help", "--json"})


def commands() -> str:
    """Return every command of Funnel with what its own help says."""
    rows = [row for name in sorted(COMMANDS) for row in _rows(f"{FLASK} {name}", own_command(name))]
    rows += _rows(BY_ITSELF, coolify.group)
    return markdown(("command", "what it does", "options"), rows)


def _rows(words: str, command: Command) -> Iterator[tuple[str, str, str]]:
    if not isinstance(command, Group) or command.invoke_without_command:
        yield f"`{' '.join([words, *_arguments(command)])}`", _help(command), "; ".join(_options(command))
    if isinstance(command, Group):
        for name, verb in sorted(command.commands.items()):
            yield from _rows(f"{words} {name}", verb)


def _arguments(command: Command) -> list[str]:
    return [item.make_metavar(Context(command)) for item in command.params if isinstance(item, Argument)]


def _help(command: Command) -> str:
    return " ".join((command.help or "").split())


def _options(command: Command) -> Iterator[str]:
    for item in command.params:
        if isinstance(item, Option) and item.opts[0] not in TOLD_ONCE:
            yield (
                f"`{_written(command, item)}`: {item.help.rstrip('.')}" if item.help else f"`{_written(command, item)}`"
            )
        elif item.opts[0] == "--json":
            yield "`--json`"


def _written(command: Command, option: Option) -> str:
    return option.opts[0] if option.is_flag else f"{option.opts[0]} {option.make_metavar(Context(command))}"
