"""Huey over Redis, with workers in processes of their own."""

import importlib
import os

from huey import RedisHuey
from letter import planned, submit

huey = RedisHuey("bench", url=os.environ["REDIS_URL"], results=False, utc=True)


@huey.task()
def send(name: str) -> None:
    """Send one email."""
    submit(name)


if __name__ == "__main__":
    # A task is known by the name of its module, which here is not __main__.
    task = importlib.import_module("on_huey").send
    for each, due in planned():
        task.schedule((each,), eta=due)
