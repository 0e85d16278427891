"""The table of settings, from the rows that the code reads them by."""

from collections.abc import Mapping

from docs.markdown import markdown
from funnel_app.config import Settings
from funnel_app.setting_meanings import MEANINGS
from funnel_app.setting_rows import rows_of


def settings() -> str:
    """Return every setting, with its default as the code reads it."""
    rows = [
        (f"`{name}`", "**required**" if default is None else f"`{default}`" if default else "none", MEANINGS[name])
        for name, default in default_settings().items()
    ]
    return markdown(("setting", "default", "what it is"), rows)


def default_settings() -> Mapping[str, str | None]:
    """Return the settings in the order of the code; None for one that has no default."""
    return {row.name: None if row.is_required else str(row.default) for row in rows_of(Settings)}
