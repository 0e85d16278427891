"""The troubles of a storm: each strikes a running Funnel once; what it breaks for a while is fixed by `relieve`."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from redis import Redis
from redis.exceptions import RedisError

from sandbox.stack import Stack
from tests.chaos.wrong_clock import WrongClock
from tests.process.crash import POINTS

LOST = {"lost_answer": True, "drop": True}
CUT = {"drop": True}
BUSY = {"status": 500, "name": "internal_server_error", "message": "An unexpected error occurred."}
AWAY = {"status": 503, "name": "service_unavailable", "message": "Service unavailable."}
RATE = {"status": 429, "name": "rate_limit_exceeded", "message": "Too many requests", "retry_after": 1}
RUNNING = {"status": 409, "name": "concurrent_idempotent_requests", "message": "Still running."}
ANSWERS = (LOST, CUT, BUSY, AWAY, RATE, RUNNING)
NOTION_AWAY = {"status": 503, "code": "service_unavailable", "message": "away"}
PARTS = ("web", "worker", "scheduler")
FILLER = "filler"
DISK_SIZE = "32m"
JUMPS_S = (3 * 3600, -2 * 3600, 40)
# A Redis that is busy must hear that it has memory again, or no storm would end.
RELIEVED_WITHIN_S = 30


@dataclass
class Scene:
    """What a trouble works on, and how often it killed a process."""

    stack: Stack
    random: Random
    clock: WrongClock
    disk: Path | None = None
    kills: int = 0
    jumps: int = 0
    redis_is_down: bool = False
    victims: int = 0


def kill_a_part(scene: Scene) -> None:
    """Kill web, worker or scheduler with all its children."""
    name = scene.random.choice([part for part in PARTS if part in scene.stack.processes.running])
    scene.stack.processes.kill(name)
    scene.kills += 1


def kill_at_a_point(scene: Scene) -> None:
    """Put a worker or scheduler beside the others that is killed at a named point of an email's way."""
    points = [name for name, point in POINTS.items() if point.process in {"worker", "scheduler"}]
    scene.victims += 1
    marker = scene.stack.processes.folder / f"died-{scene.victims}"
    arguments = ("-m", "tests.process.crash", scene.random.choice(points), str(marker))
    scene.stack.processes.start(f"victim-{scene.victims}", *arguments)
    scene.kills += 1


def add_a_scheduler(scene: Scene) -> None:
    """Let two schedulers run."""
    if "second" not in scene.stack.processes.running:
        scene.stack.processes.start("second", "-m", "jobs.scheduler")


def flush_redis(scene: Scene) -> None:
    """Forget the clock and the queues."""
    if not scene.redis_is_down:
        try:
            scene.stack.redis.flush()
        except RedisError:
            return


def kill_redis(scene: Scene) -> None:
    """End Redis; it comes back empty."""
    scene.stack.redis.kill()
    scene.redis_is_down = True
    scene.kills += 1


def fill_redis(scene: Scene) -> None:
    """Let Redis refuse every write for want of memory."""
    _set_memory(scene, "1")


def refuse_and_lose(scene: Scene) -> None:
    """Let Resend answer the next calls with errors, refusals and silence."""
    scene.stack.control({"resend.fail": [scene.random.choice(ANSWERS) for _ in range(4)]})


def lose_resend(scene: Scene) -> None:
    """Let Resend fail every call."""
    scene.stack.control({"resend.fail_always": scene.random.choice((BUSY, AWAY, CUT))})


def lose_notion(scene: Scene) -> None:
    """Let Notion fail every call."""
    scene.stack.control({"notion.fail_always": NOTION_AWAY})


def confuse_webhooks(scene: Scene) -> None:
    """Let Resend tell everything twice, in the wrong order, and before it has answered."""
    scene.stack.control({"webhooks.duplicate": True, "webhooks.reverse": True, "webhooks.before_answer": True})


def fill_the_disk(scene: Scene) -> None:
    """Leave no room on the ledger's disk."""
    if scene.disk is None:
        return
    try:
        with (scene.disk / FILLER).open("wb") as filler:
            while True:
                filler.write(b"x" * 65_536)
                filler.flush()
    except OSError:
        return


def set_the_clock_wrong(scene: Scene) -> None:
    """Let the clock of the machine jump by hours, or by so little that nobody may take it for a fault."""
    scene.clock.jump(scene.random.choice(JUMPS_S))
    scene.jumps += 1


TROUBLES: Mapping[str, Callable[[Scene], None]] = {
    "kill a part": kill_a_part,
    "kill at a point": kill_at_a_point,
    "two schedulers": add_a_scheduler,
    "flush Redis": flush_redis,
    "kill Redis": kill_redis,
    "Redis out of memory": fill_redis,
    "Resend answers oddly": refuse_and_lose,
    "Resend away": lose_resend,
    "Notion away": lose_notion,
    "webhooks confused": confuse_webhooks,
    "disk full": fill_the_disk,
    "clock jumps": set_the_clock_wrong,
}


def relieve(scene: Scene) -> None:
    """End what lasts: Redis and the stand-ins work again, and the clock is right."""
    scene.clock.set_right()
    if scene.redis_is_down:
        scene.stack.redis.start()
        scene.redis_is_down = False
    _set_memory(scene, "0")
    if scene.disk is not None:
        (scene.disk / FILLER).unlink(missing_ok=True)
    scene.stack.control({"resend.fail_always": None, "resend.fail": [], "notion.fail_always": None})


def revive(scene: Scene) -> None:
    """Start what died, as a supervisor does."""
    processes = scene.stack.processes
    for name in processes.ended():
        del processes.running[name]
    for name in PARTS:
        if name not in processes.running:
            processes.start(name)


def _set_memory(scene: Scene, most: str) -> None:
    if scene.redis_is_down:
        return
    try:
        with Redis.from_url(scene.stack.redis.url, socket_timeout=RELIEVED_WITHIN_S) as redis:
            redis.config_set("maxmemory", most)
    except RedisError:
        return


@contextmanager
def small_disk() -> Iterator[Path | None]:
    """Give a disk of 32 MB for a ledger, in memory; None where only root could mount one."""
    if os.geteuid() != 0:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="funnel-disk-") as name:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_SIZE}", "tmpfs", name]
        if subprocess.run(mount, check=False, capture_output=True).returncode:
            yield None
            return
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", "-l", name], check=True)
