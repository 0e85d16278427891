"""Huey over Redis, with workers in processes of their own."""

import os

from huey import RedisHuey
from letter import hand_over, planned

huey = RedisHuey("bench", url=os.environ["REDIS_URL"], results=False, utc=True)


@huey.task(name="send")
def send(name: str) -> None:
    """Send one email."""
    hand_over(name)


if __name__ == "__main__":
    for each, due in planned():
        send.schedule((each,), eta=due.replace(tzinfo=None))
