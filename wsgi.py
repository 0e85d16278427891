"""The web process: settings, collaborators, application (`gunicorn wsgi:app`, `flask --app wsgi`)."""

import atexit
import gc
import sys

from funnel_app import create_app
from funnel_app.config import ConfigError, load_settings
from funnel_app.deps import build_deps
from funnel_app.logs import configure_logging
from funnel_app.redact import redactor
from funnel_app.sentry import report_errors
from funnel_app.web.watchdog import is_web_server, look_out

try:
    settings = load_settings()
    deps = build_deps(settings)
except ConfigError as fault:
    sys.exit(str(fault))

configure_logging(settings.log_level, redactor(settings))
report_errors(settings)
# Gathering garbage for the last time takes seconds on a busy machine, and a stop has ten.
atexit.register(gc.freeze)
app = create_app(deps)
if is_web_server():
    look_out(deps)
