"""A web process keeps nothing of what strangers and broken callers send, whatever it is and however often it comes."""

import functools
import gc
import logging
import os
import re
import socket
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from random import Random
from threading import Barrier, Thread

import pytest
from gunicorn.config import Config
from gunicorn.glogging import Logger

from bench.hostile import fire
from bench.shots import Shot, broken_callers, strangers
from funnel_app.app import create_app
from funnel_app.deps import build_deps
from jobs.web_worker import BufferingWorker
from tests.factories import HOOK_SECRET, make_settings
from tests.pace import patient

KINDS, SHOTS, ROUNDS = 16, 60, 5
WARM, WARM_OF_EACH_KIND = 300, 20
THREADS = 4


class House:
    """A web process's own door, threads, parser and application in this process, where what it holds can be counted."""

    def __init__(self, url: str, redis_url: str) -> None:
        self.deps = build_deps(make_settings(database_url=url, redis_url=redis_url, trusted_proxies=1))
        self.listener, config = socket.create_server(("127.0.0.1", 0)), Config()
        config.set("threads", THREADS)
        self.worker = BufferingWorker(1, os.getppid(), [self.listener], None, 30, config, Logger(config))
        self.worker.PIPE = os.pipe()
        for end in self.worker.PIPE:
            os.set_blocking(end, False)
        self.worker.wsgi = create_app(self.deps)
        self.thread = Thread(target=self.worker.run)
        self.bounded: list[functools._lru_cache_wrapper[object]] = []
        self.held = 0

    def __enter__(self) -> "House":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.worker.alive = False
        self.thread.join()
        self.deps.engine.dispose()
        for end in self.worker.PIPE:
            os.close(end)
        self.worker.tmp.close()
        gc.unfreeze()

    def warm(self, shots: list[Shot]) -> None:
        """Answer these shots, and leave out what is there afterwards whenever what is held is counted."""
        self._fire(shots)
        self.bounded = _bounded_caches()
        # Or each count would go through all that a worker of the tests has imported.
        gc.freeze()

    def count(self) -> None:
        """Count what is held before the next shots."""
        self.held = self._held()

    def grown(self, shots: list[Shot]) -> int:
        """Return how many pieces of memory more are held after these shots."""
        self._fire(shots)
        before, self.held = self.held, self._held()
        return self.held - before

    def _fire(self, shots: list[Shot]) -> None:
        fire("http://{}:{}".format(*self.listener.getsockname()), iter(shots))

    def _held(self) -> int:
        until = time.monotonic() + patient(20)
        while len(self.worker.door.callers) and time.monotonic() < until:
            time.sleep(0.05)
        self._let_threads_finish()
        # What has a limit is no leak, however full it is.
        self.deps.engine.dispose()
        self.deps.engine.clear_compiled_cache()
        re.purge()
        for each in (*self.bounded, *_bounded_caches()):
            each.cache_clear()
        gc.collect()
        return sys.getallocatedblocks()

    def _let_threads_finish(self) -> None:
        """Wait until no thread holds on to what it answered last, which is after its caller was answered and gone."""
        all_free = Barrier(THREADS + 1)
        for _ in range(THREADS):
            self.worker.threads.submit(all_free.wait)
        all_free.wait(patient(20))


def _bounded_caches() -> "list[functools._lru_cache_wrapper[object]]":
    caches = [each for each in gc.get_objects() if isinstance(each, functools._lru_cache_wrapper)]
    return [each for each in caches if each.cache_info().maxsize is not None]


@pytest.fixture
def house(sqlite, redis_server) -> Iterator[House]:
    # pytest keeps each line that a library logs.
    logging.disable()
    with House(str(sqlite.url), redis_server.url) as house:
        yield house
    logging.disable(logging.NOTSET)


def rounds_by_kind(count: int) -> Iterator[dict[str, list[Shot]]]:
    """Yield so many shots of each kind, time after time."""
    shots = chain.from_iterable(zip(strangers(Random(3)), broken_callers(Random(3), HOOK_SECRET), strict=True))
    while True:
        found: defaultdict[str, list[Shot]] = defaultdict(list)
        while len(found) < KINDS or any(len(of_kind) < count for of_kind in found.values()):
            shot = next(shots)
            if len(found[shot.kind]) < count:
                found[shot.kind].append(shot)
        yield found


def test_of_no_kind_of_shot_anything_is_kept(house):
    house.warm([*islice(strangers(Random(5)), WARM), *chain(*next(rounds_by_kind(WARM_OF_EACH_KIND)).values())])
    assert kept_kinds(house, islice(rounds_by_kind(SHOTS), ROUNDS)) == set()


def kept_kinds(house: House, rounds: Iterable[dict[str, list[Shot]]]) -> set[str]:
    """Return of which kinds each shot leaves a piece of memory, round after round: what only fills up ends sooner."""
    kept: set[str] | None = None
    for shots in rounds:
        house.count()
        kept = {kind for kind in (shots if kept is None else kept) if house.grown(shots[kind]) >= len(shots[kind])}
        if not kept:
            break
    return kept or set()


def test_what_is_kept_of_each_shot_is_seen(house):
    kept, answer = {}, house.worker.wsgi

    def keeping(environ, start_response):
        kept[f"{environ['PATH_INFO']} {len(kept)}"] = time.time()
        return answer(environ, start_response)

    house.worker.wsgi = keeping
    shots = (shot for shot in strangers(Random(4)) if shot.raw is None)
    house.warm(list(islice(shots, WARM)))
    assert kept_kinds(house, ({"any": list(islice(shots, SHOTS))} for _ in range(ROUNDS))) == {"any"}
