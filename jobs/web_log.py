"""How gunicorn logs: as everything else here does, from its master's first word on and not only once workers are up."""

import sys

from gunicorn.config import Config
from gunicorn.glogging import Logger

from funnel_app.config import ConfigError, load_settings
from funnel_app.logs import configure_logging
from funnel_app.redact import redactor


class JsonLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's logger without handlers of its own: its lines go where ours go, as JSON, redacted."""

    def setup(self, cfg: Config) -> None:
        """Set up this process's logs; a faulty setting ends it with all faults in one message."""
        super().setup(cfg)
        try:
            settings = load_settings()
        except ConfigError as fault:
            sys.exit(str(fault))
        configure_logging(settings.log_level, redactor(settings))
