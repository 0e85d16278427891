"""Celery over Redis: tasks with an ETA, acknowledged late, so that a worker that dies loses none."""

import os

from celery import Celery
from letter import planned, submit

# A task with an ETA waits in a worker's memory: past this time Redis would hand it to another as well.
OPTIONS = {"visibility_timeout": 30 * 86_400}

app = Celery("on_celery", broker=os.environ["REDIS_URL"])
app.conf.update(task_ignore_result=True, task_acks_late=True, broker_transport_options=OPTIONS)


@app.task(name="send")
def send(name: str) -> None:
    """Send one email."""
    submit(name)


if __name__ == "__main__":
    for each, due in planned():
        send.apply_async((each,), eta=due)
