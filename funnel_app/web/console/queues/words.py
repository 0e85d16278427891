"""Words on rq-dashboard's pages: RQ's own replaced by those of docs/console.md."""

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
_CHOSEN = "{{% if registry_name == '{}' %}} selected {{% endif %}}"
# Each stands in a template of a known version, so none is replaced where it was not meant.
SAID: Mapping[str, str] = {
    "<title>RQ dashboard</title>": "<title>Jobs · Funnel</title>",
    'class="nav-link">Queues<': 'class="nav-link">Overview<',
    'class="nav-link">Jobs<': 'class="nav-link">One by one<',
    "<h1>Queues</h1>": "<h1>Jobs</h1>",
    "This list below contains all the registered queues with the number of jobs currently": (
        "What Funnel has to do now and did of late, and how many jobs of each kind: <em>transactional</em> are emails "
        "about a call or an order, <em>emails</em> all others, <em>mirror</em> rows in Notion."
    ),
    "in the queue. Select a queue from above to view all jobs currently pending on the queue.": (
        "A number leads to its jobs. Nothing can be changed here: the ledger decides what is sent, and when."
    ),
    "<th>Queue</th>": "<th>Kind</th>",
    **{f">{place.capitalize()}&nbsp;jobs<": f">{words.capitalize()}<" for place, words in STANDS.items()},
    "No queues.": "No jobs.",
    **{
        f"<option {_CHOSEN.format(place)}>{place}<": f'<option value="{place}" {_CHOSEN.format(place)}>{words}<'
        for place, words in STANDS.items()
    },
    "This list below contains all the queued jobs on queue": "The {{ rq_stands[registry_name] }} jobs of the kind",
    ">Queue:<": ">Kind:<",
    ">Registry:<": ">Which:<",
    ">Sort Order:<": ">Order:<",
    'title="Queue name"': 'title="Kind of job"',
    'title="Registry name"': 'title="Which jobs"',
    "Origin queue": "Kind",
    "Enqueued at": "Waits since",
    "Exception Info": "What went wrong",
    "This list below contains all the registered workers with their state and work queues.": (
        "The processes that do the jobs, what each does now, and which kinds it takes."
    ),
    "<th>Queues</th>": "<th>Kinds</th>",
}


def in_words(source: str) -> str:
    """Return a template of rq-dashboard's in the owner's words."""
    for theirs, ours in SAID.items():
        source = source.replace(theirs, ours)
    return source
