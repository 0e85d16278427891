"""RQ's SimpleWorker with rq-scheduler, as Funnel uses them."""

import os

from letter import planned, submit
from redis import Redis
from rq_scheduler import Scheduler

if __name__ == "__main__":
    scheduler = Scheduler(queue_name="emails", connection=Redis.from_url(os.environ["REDIS_URL"]))
    for each, due in planned():
        scheduler.enqueue_at(due.replace(tzinfo=None), submit, each)
