"""The settings of several demos side by side: each has a file of its own, and takes away no other's."""

from sandbox.settings_file import settings_file


def test_a_second_demo_has_a_file_of_its_own_and_the_first_to_end_takes_only_its_own_away(tmp_path):
    file = tmp_path / "var" / "demo.env"
    with settings_file(file, {"PORT": "2"}) as left, settings_file(file, {"PORT": "3"}) as right:
        assert (left, right.name) == (file, "demo-2.env")
        assert (left.read_text(), right.read_text()) == ("export PORT=2\n", "export PORT=3\n")
    first, second = settings_file(file, {"PORT": "1"}), settings_file(file, {"PORT": "2"})
    first.__enter__()
    kept = second.__enter__()
    first.__exit__(None, None, None)
    assert (file.exists(), kept.read_text()) == (False, "export PORT=2\n")
    second.__exit__(None, None, None)
    assert not kept.exists()


def test_what_a_killed_demo_left_is_written_over_and_only_its_owner_reads_it(tmp_path):
    file = tmp_path / "demo.env"
    file.write_text("export OLD='from before, and longer than what comes'\n")
    file.chmod(0o644)
    with settings_file(file, {"NAME": "an owner's"}) as kept:
        assert (kept, kept.read_text()) == (file, "export NAME='an owner'\"'\"'s'\n")
        assert kept.stat().st_mode & 0o777 == 0o600
