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
from collections.abc import Iterator
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

KINDS, SHOTS, WARM = 16, 60, 600
THREADS = 4


class House:
    """A web process's own door, threads, parser and application in this process, where what it holds can be counted."""

    def __init__(self, url: str, redis_url: str) -> None:
        self.older_caches = _caches_of_all_before()
        self.deps = build_deps(make_settings(database_url=url, redis_url=redis_url, trusted_proxies=1))
        self.listener, config = socket.create_server(("127.0.0.1", 0)), Config()
        config.set("threads", THREADS)
        self.worker = BufferingWorker(1, os.getppid(), [self.listener], None, 30, config, Logger(config))
        self.worker.PIPE = os.pipe()
        for end in self.worker.PIPE:
            os.set_blocking(end, False)
        self.worker.wsgi = create_app(self.deps)
        self.thread = Thread(target=self.worker.run)

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

    def grown(self, shots: list[Shot]) -> int:
        """Return how many pieces of memory more are held after these shots."""
        before = self._held()
        fire("http://{}:{}".format(*self.listener.getsockname()), iter(shots))
        return self._held() - before

    def _held(self) -> int:
        until = time.monotonic() + patient(20)
        while len(self.worker.door.callers) and time.monotonic() < until:
            time.sleep(0.05)
        self._let_threads_finish()
        # What has a limit is no leak, however full it is.
        self.deps.engine.dispose()
        self.deps.engine.clear_compiled_cache()
        re.purge()
        for cache in (*self.older_caches, *_caches_with_a_limit()):
            cache.cache_clear()
        gc.collect()
        return sys.getallocatedblocks()

    def _let_threads_finish(self) -> None:
        """Wait until no thread holds on to what it answered last, which is after its caller was answered and gone."""
        all_free = Barrier(THREADS + 1)
        for _ in range(THREADS):
            self.worker.threads.submit(all_free.wait)
        all_free.wait(patient(20))


def _caches_of_all_before() -> list[functools._lru_cache_wrapper]:
    """Return those of all that ran and was imported before, and look through none of it for each window."""
    gc.unfreeze()
    gc.collect()
    caches = _caches_with_a_limit()
    gc.freeze()
    return caches


def _caches_with_a_limit() -> list[functools._lru_cache_wrapper]:
    caches = [each for each in gc.get_objects() if isinstance(each, functools._lru_cache_wrapper)]
    return [cache for cache in caches if cache.cache_info().maxsize is not None]


@pytest.fixture
def house(sqlite, redis_server) -> Iterator[House]:
    # pytest keeps each line that a library logs.
    logging.disable()
    with House(str(sqlite.url), redis_server.url) as house:
        yield house
    logging.disable(logging.NOTSET)


def by_kind(count: int) -> dict[str, list[Shot]]:
    """Return so many shots of each kind."""
    found: defaultdict[str, list[Shot]] = defaultdict(list)
    sources = strangers(Random(3)), broken_callers(Random(3), HOOK_SECRET)
    for shot in chain.from_iterable(zip(*sources, strict=True)):
        if len(found[shot.kind]) < count:
            found[shot.kind].append(shot)
        if len(found) == KINDS and all(len(shots) == count for shots in found.values()):
            break
    return found


def test_of_no_kind_of_shot_anything_is_kept(house):
    house.grown(list(islice(strangers(Random(5)), WARM)))
    assert [kind for kind, shots in by_kind(4 * SHOTS).items() if keeps(house, shots)] == []


def keeps(house: House, shots: list[Shot]) -> bool:
    """Return whether time after time a piece of memory is left for each shot: what only fills up ends sooner."""
    windows = (shots[start : start + SHOTS] for start in range(0, len(shots), SHOTS))
    return all(house.grown(window) >= SHOTS for window in windows)


def test_what_is_kept_of_each_shot_is_seen(house):
    kept, answer = {}, house.worker.wsgi

    def keeping(environ, start_response):
        # Several pieces, as a cache would: what else the process gives back meanwhile is no more than one of each shot.
        kept[f"{environ['PATH_INFO']} {len(kept)}"] = {"at": time.time(), "from": [environ["REMOTE_ADDR"]]}
        return answer(environ, start_response)

    house.worker.wsgi = keeping
    assert keeps(house, [shot for shot in islice(strangers(Random(4)), 6 * SHOTS) if shot.raw is None][: 4 * SHOTS])
