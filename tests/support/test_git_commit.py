"""The commit that the program tells is looked up in every build, and nothing is built anew when it is the same."""
import subprocess

from conftest import ROOT


def git(folder, *words):
    identity = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
    return subprocess.run(["git", "-C", folder, *identity, *words], check=True, capture_output=True, text=True).stdout.strip()


def look_up(folder, out):
    subprocess.run(["cmake", f"-DSOURCE={folder}", f"-DOUT={out}", "-P", ROOT / "cli" / "git_commit.cmake"], check=True)
    return out.read_text(encoding="ascii").split('return "')[1].split('"')[0], out.stat().st_mtime_ns


def test_it_follows_head(tmp_path):
    source, out = tmp_path / "source", tmp_path / "git_commit.cpp"
    source.mkdir()
    git(source, "init", "-q")
    (source / "file").write_text("one")
    git(source, "add", "file")
    git(source, "commit", "-q", "-m", "one")
    first, written = look_up(source, out)
    assert first == git(source, "rev-parse", "--short", "HEAD")
    assert look_up(source, out) == (first, written)
    (source / "file").write_text("two")
    assert look_up(source, out)[0] == first + "-dirty"
    git(source, "commit", "-q", "-a", "-m", "two")
    second, _ = look_up(source, out)
    assert second != first and second == git(source, "rev-parse", "--short", "HEAD")


def test_it_is_empty_outside_a_repository(tmp_path):
    assert look_up(tmp_path, tmp_path / "git_commit.cpp")[0] == ""
