"""Logging of gunicorn: JSON like everywhere else, from its master's first line on."""

import sys

from gunicorn.config import Config
from gunicorn.glogging import Logger

from funnel_app.config import ConfigError, load_settings
from funnel_app.logs import configure_logging
from funnel_app.redact import redactor


class JsonLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's logger without its own handlers: its lines go through ours, as redacted JSON."""

    def setup(self, cfg: Config) -> None:
        """Configure this process's logs; exits with all faults of the settings."""
        super().setup(cfg)
        try:
            settings = load_settings()
        except ConfigError as fault:
            sys.exit(str(fault))
        configure_logging(settings.log_level, redactor(settings))
