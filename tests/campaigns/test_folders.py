"""An owner's own campaign files: they go before the shipped ones, and a bad folder is named."""

import os

import pytest

from funnel_app.campaigns.folders import own_files, shipped_files
from funnel_app.campaigns.parse import CampaignError
from funnel_app.campaigns.registry import load_registry
from tests.nobody import as_nobody, open_folder


def test_an_owners_files_go_before_ours_of_the_same_name(tmp_path):
    (tmp_path / "evergreen.toml").write_text(shipped_files()["evergreen.toml"].replace("All Year Round", "Ours"))
    (tmp_path / ".christmas.toml").write_text("an editor's")
    (tmp_path / "list.csv").write_text("no campaign")
    campaigns = load_registry(("evergreen",), str(tmp_path)).campaigns
    assert {name: each.title for name, each in campaigns.items()} == {
        "christmas": "Christmas Surge",
        "evergreen": "Ours",
    }


def test_an_owners_file_may_begin_with_a_mark_of_its_encoding(tmp_path):
    (tmp_path / "evergreen.toml").write_text(shipped_files()["evergreen.toml"], "utf-8-sig")
    assert own_files(tmp_path) == {"evergreen.toml": shipped_files()["evergreen.toml"]}


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: folder.rmdir(), "cannot be read: No such file"),
        (lambda folder: (folder / "own.toml").write_bytes(b"\xe9"), "own.toml is not in UTF-8"),
        (lambda folder: os.mkfifo(folder / "own.toml"), "own.toml cannot be read: it is no ordinary file"),
        (lambda folder: (folder / "own.toml").mkdir(), "own.toml cannot be read: Is a directory"),
        (lambda folder: (folder / "own.toml").write_text("name = "), r"\n  own.toml: "),
        (lambda folder: (folder / "OWN.TOML").write_text("name = "), r"\n  OWN.toml: "),
        (
            lambda folder: [(folder / f"own.{ending}").write_text("") for ending in ("TOML", "toml")],
            "are both own.toml: keep",
        ),
        (lambda folder: (folder / "own.toml.txt").write_text(""), "own.toml.txt is not read: its name must end with"),
        (lambda folder: (folder / "own.toml").symlink_to("nowhere"), "own.toml cannot be read: No such file"),
        (lambda folder: (folder / "own.toml").symlink_to("a" * 300), "own.toml cannot be read: File name too long"),
    ],
)
def test_an_owners_folder_that_cannot_be_used_says_why(tmp_path, make, words):
    folder = tmp_path / "own"
    folder.mkdir()
    make(folder)
    with pytest.raises(CampaignError, match=words):
        load_registry((), str(folder))


@pytest.mark.parametrize("unreadable", ["own.toml", "."])
def test_what_may_not_be_read_is_named(unreadable):
    with open_folder() as folder:
        (folder / "own.toml").write_text("name = 'own'")
        (folder / unreadable).chmod(0)
        with as_nobody(), pytest.raises(CampaignError, match="cannot be read: Permission denied"):
            load_registry((), str(folder))


def test_a_link_into_a_folder_that_may_not_be_looked_into_is_named():
    with open_folder() as folder, open_folder() as closed:
        (closed / "own.toml").write_text("name = 'own'")
        (folder / "own.toml").symlink_to(closed / "own.toml")
        closed.chmod(0)
        with as_nobody(), pytest.raises(CampaignError, match=r"own.toml cannot be read: Permission denied"):
            load_registry((), str(folder))
