"""Folders of campaign files: the shipped ones here, and an owner's own."""

from importlib.resources import files
from pathlib import Path

from funnel_app.campaigns.parse import CampaignError

ENDING = ".toml"
# What editors of Windows and of Macs make of it; copies such as .bak are left alone.
RENAMED = (".toml.txt", ".toml.rtf", ".toml.doc", ".toml.docx")


def shipped_files() -> dict[str, str]:
    """Return the texts of the shipped files by name."""
    folder = files("funnel_app.campaigns")
    return {f.name: f.read_text("utf-8") for f in folder.iterdir() if f.name.endswith(ENDING)}


def own_files(folder: Path) -> dict[str, str]:
    """Return the texts of an owner's files by name; CampaignError for an unreadable folder or file."""
    try:
        found = [each for each in sorted(folder.iterdir()) if not each.name.startswith(".")]
    except OSError as fault:
        raise CampaignError([f"CAMPAIGNS_DIR: {folder} cannot be read: {fault.strerror}"]) from None
    if renamed := [each for each in found if each.name.lower().endswith(RENAMED)]:
        raise CampaignError([f"CAMPAIGNS_DIR: {each} is not read: its name must end with .toml" for each in renamed])
    texts: dict[str, str] = {}
    for each in found:
        if each.suffix.lower() == ENDING:
            if (name := f"{each.stem}{ENDING}") in texts:
                raise CampaignError([f"CAMPAIGNS_DIR: {each} and another file are both {name}: keep one of them"])
            texts[name] = _read(each)
    return texts


def _read(file: Path) -> str:
    try:
        if file.exists() and not file.is_file() and not file.is_dir():
            raise CampaignError([f"CAMPAIGNS_DIR: {file} cannot be read: it is no ordinary file"])
        return file.read_text("utf-8-sig")  # some editors write a byte order mark
    except OSError as fault:
        raise CampaignError([f"CAMPAIGNS_DIR: {file} cannot be read: {fault.strerror}"]) from None
    except UnicodeDecodeError:
        raise CampaignError([f"CAMPAIGNS_DIR: {file} is not in UTF-8: save it as that"]) from None
