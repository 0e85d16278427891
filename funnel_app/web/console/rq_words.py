"""Words on rq-dashboard's pages: RQ's own replaced by those of docs/console.md."""

import re
from collections.abc import Mapping

# What RQ calls the places in which it keeps jobs, in the owner's words.
STANDS: Mapping[str, str] = {
    "queued": "waiting",
    "scheduled": "planned",
    "deferred": "kept back",
    "started": "running",
    "finished": "done",
    "failed": "failed",
    "canceled": "cancelled",
}
_PLACES = "|".join(STANDS)
# Each applies to a template of a known version, so none is applied where it was not meant.
SAID: Mapping[str, str] = {
    r"<title>RQ dashboard</title>": "<title>Jobs · Funnel</title>",
    r'class="nav-link">Queues<': 'class="nav-link">Overview<',
    r'class="nav-link">Jobs<': 'class="nav-link">One by one<',
    r"<h1>Queues</h1>": "<h1>Jobs</h1>",
    r"This list below contains all the registered queues.*?on the queue\.": (
        "What Funnel has to do now and did of late, and how many jobs of each kind: <em>transactional</em> are emails "
        "about a call or an order, <em>emails</em> all others, <em>mirror</em> rows in Notion. A number leads to its "
        "jobs. Nothing can be changed here: the ledger decides what is sent, and when."
    ),
    r"<th>Queue</th>": "<th>Kind</th>",
    rf"(?i)>({_PLACES})&nbsp;jobs<": r">{{ rq_stands['\1' | lower] | capitalize }}<",
    r"No queues\.": "No jobs.",
    r"<option (\{% if registry_name == '(\w+)' %\} selected \{% endif %\})>\w+<": (
        r"""<option value="\2" \1>{{ rq_stands['\2'] }}<"""
    ),
    r"This list below contains all the queued jobs on queue": ("The {{ rq_stands[registry_name] }} jobs of the kind"),
    r">Queue:<": ">Kind:<",
    r">Registry:<": ">Which:<",
    r">Sort Order:<": ">Order:<",
    r'title="Queue name"': 'title="Kind of job"',
    r'title="Registry name"': 'title="Which jobs"',
    r"Origin queue": "Kind",
    r"Enqueued at": "Waits since",
    r"Exception Info": "What went wrong",
    r"This list below contains all the registered workers with their state and work queues\.": (
        "The processes that do the jobs, what each does now, and which kinds it takes."
    ),
    r"<th>Queues</th>": "<th>Kinds</th>",
}


def in_words(source: str) -> str:
    """Return a template of rq-dashboard's in the owner's words."""
    for theirs, ours in SAID.items():
        source = re.sub(theirs, ours, source, flags=re.DOTALL)
    return source
