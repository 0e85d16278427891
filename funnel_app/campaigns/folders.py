"""Folders of campaign files: the shipped ones here, and an owner's own."""

from importlib.resources import files
from pathlib import Path

from funnel_app.campaigns.parse import CampaignError


def shipped_files() -> dict[str, str]:
    """Return the texts of the shipped files by name."""
    folder = files("funnel_app.campaigns")
    return {f.name: f.read_text("utf-8") for f in folder.iterdir() if f.name.endswith(".toml")}


def own_files(folder: Path) -> dict[str, str]:
    """Return the texts of an owner's files by name; CampaignError for an unreadable folder or file."""
    try:
        found = [each for each in sorted(folder.iterdir()) if each.suffix == ".toml" and not each.name.startswith(".")]
    except OSError as fault:
        raise CampaignError([f"CAMPAIGNS_DIR: {folder} cannot be read: {fault.strerror}"]) from None
    return {each.name: _read(each) for each in found}


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")  # some editors write a byte order mark
    except OSError as fault:
        raise CampaignError([f"CAMPAIGNS_DIR: {file} cannot be read: {fault.strerror}"]) from None
    except UnicodeDecodeError:
        raise CampaignError([f"CAMPAIGNS_DIR: {file} is not in UTF-8: save it as that"]) from None
