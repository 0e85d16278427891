"""All parts in one container: started together, restarted when they die, stopped together within ten seconds."""

import os
import signal
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog
from supervisor import events
from supervisor.loggers import Logger
from supervisor.medusa.asyncore_25 import ExitNow
from supervisor.options import ServerOptions
from supervisor.supervisord import Supervisor

# A stop may be noticed a second late, and docker waits ten: an email in hand takes seven at most.
STOP_WITHIN_S = 8
STARTS = 5
# One group, because supervisor stops groups one after the other, but the programs of one together.
HEAD = """[supervisord]
nodaemon=true
logfile=/dev/null
logfile_maxbytes=0
loglevel=error
pidfile={folder}/supervisord.pid
childlogdir={folder}

[group:funnel]
programs={programs}
"""
PROGRAM = """
[program:{name}]
command={command}
autorestart=true
startsecs=2
startretries={starts}
stopwaitsecs={stop}
killasgroup=true
redirect_stderr=true
stdout_logfile=/dev/stdout
stdout_logfile_maxbytes=0
"""

log = structlog.get_logger()


def supervise(commands: Mapping[str, Sequence[str]], starts: int = STARTS) -> int:
    """Run the commands until SIGTERM: 0, or 1 where one of them does not stay up, so that the container restarts."""
    with tempfile.TemporaryDirectory(prefix="funnel-supervisor-") as folder:
        file = Path(folder) / "supervisord.conf"
        file.write_text(configuration(commands, folder, starts), "utf-8")
        options = Options()
        options.realize(["-c", str(file)], doc=__doc__)
        options.first, options.test = True, False
        conductor = Conductor(options)
        with suppress(ExitNow):
            conductor.main()
    return 1 if conductor.gave_up else 0


def configuration(commands: Mapping[str, Sequence[str]], folder: str, starts: int) -> str:
    """Return supervisor's configuration of these programs; it may write in the folder."""
    head = HEAD.format(folder=folder, programs=",".join(commands))
    programs = [
        PROGRAM.format(name=name, command=_quoted(command), starts=starts, stop=STOP_WITHIN_S)
        for name, command in commands.items()
    ]
    return head + "".join(programs)


def _quoted(command: Sequence[str]) -> str:
    return " ".join(f'"{part}"' for part in command).replace("%", "%%")


class JsonLogger(Logger):  # type: ignore[misc]  # supervisor has no types
    """What supervisor says itself, said as everything else here; its levels are those of Python."""

    def log(self, level: int, msg: str, **words: Any) -> None:
        """Tell one thing."""
        log.log(level, msg % words if words else msg, logger="supervisor")


class Options(ServerOptions):  # type: ignore[misc]  # supervisor has no types
    """supervisor's settings, with a log of JSON lines."""

    def make_logger(self) -> None:
        """Log to where Funnel logs, and nowhere else."""
        self.logger = JsonLogger(self.loglevel)
        for fault in self.parse_criticals:
            self.logger.critical(fault)


class Conductor(Supervisor):  # type: ignore[misc]  # supervisor has no types
    """Supervisor that says as JSON what happens to the parts, and ends when one cannot be kept up."""

    gave_up = False

    def runforever(self) -> None:
        """Run until told to stop. Supervisor forgets all listeners before this, so that they are added here."""
        events.subscribe(events.ProcessStateRunningEvent, self._say_running)
        events.subscribe(events.ProcessStateExitedEvent, self._bury)
        events.subscribe(events.ProcessStateBackoffEvent, self._bury)
        events.subscribe(events.ProcessStateFatalEvent, self._give_up)
        super().runforever()

    def _say_running(self, event: Any) -> None:
        log.info("process_started", part=event.process.config.name, pid=event.process.pid)

    def _bury(self, event: Any) -> None:
        log.error("process_exited", part=event.process.config.name, state=str(event.process.spawnerr or "exited"))
        # Its children would go on beside those of its successor, and hold its port.
        if event.process.pid:
            with suppress(ProcessLookupError):
                os.killpg(event.process.pid, signal.SIGTERM)

    def _give_up(self, event: Any) -> None:
        if self.stopping:
            return
        self.gave_up = True
        log.error("process_failed", part=event.process.config.name, hint="its last words are above")
        os.kill(os.getpid(), signal.SIGTERM)
