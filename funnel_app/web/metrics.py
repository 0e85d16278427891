"""`/metrics`: Funnel's figures in Prometheus's text format, with a token."""

from collections.abc import Iterator

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from werkzeug.exceptions import NotFound, Unauthorized

from funnel_app.current import current_deps
from funnel_app.flows.monitoring.statistics.metrics import Figure, figures
from funnel_app.web.auth import has_metrics_token

QUANTILE = "quantile"

blueprint = Blueprint("metrics", __name__)


class Figures(Collector):
    """The metrics of one request; nothing is counted in this process, which may be one of several."""

    def collect(self) -> Iterator[Metric]:
        """Yield each figure as a metric; names ending with _total are counters."""
        for figure in figures(current_deps()):
            yield _metric(figure)


@blueprint.get("/metrics")
def metrics() -> ResponseReturnValue:
    """Return all metrics; 401 without METRICS_TOKEN, 404 if none is set."""
    if current_deps().settings.metrics_token is None:
        raise NotFound
    if not has_metrics_token():
        raise Unauthorized("Send METRICS_TOKEN as a bearer token.")
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Figures())
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _metric(figure: Figure) -> Metric:
    if QUANTILE in figure.kind.labels:
        return _summary(figure)
    family = CounterMetricFamily if figure.name.endswith("_total") else GaugeMetricFamily
    metric = family(f"funnel_{figure.name}", figure.kind.meaning, labels=figure.kind.labels)
    for labels, value in sorted(figure.rows.items()):
        metric.add_metric(labels, value)
    return metric


def _summary(figure: Figure) -> Metric:
    # Only summaries may have that label: https://prometheus.io/docs/instrumenting/exposition_formats/
    metric = Metric(f"funnel_{figure.name}", figure.kind.meaning, "summary")
    for labels, value in sorted(figure.rows.items()):
        metric.add_sample(f"funnel_{figure.name}", dict(zip(figure.kind.labels, labels, strict=True)), value)
    return metric
