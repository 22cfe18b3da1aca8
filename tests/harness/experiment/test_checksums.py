"""A folder with sums notices every change."""

import shutil
import subprocess

import pytest

from data_cleaning.errors import BadInput
from harness.experiment.checksums import CHECKSUMS, read_checksums, verify, write_checksums


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "model"
    (made / "systems" / "keyword+mined").mkdir(parents=True)
    (made / "systems" / "keyword+mined" / "keyword.json").write_text("{}\n")
    (made / "taxonomy with space.yaml").write_text("targets: {}\n")
    (made / "empty.csv").write_text("")
    write_checksums(made)
    return made


def flip(path, position):
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(bytes(content))


def test_a_folder_as_it_was_written_passes_and_sha256sum_agrees(folder):
    verify(folder)
    assert list(read_checksums(folder)) == [
        "empty.csv",
        "systems/keyword+mined/keyword.json",
        "taxonomy with space.yaml",
    ]
    if shutil.which("sha256sum"):
        subprocess.run(["sha256sum", "-c", "--strict", CHECKSUMS], cwd=folder, check=True, capture_output=True)


def test_existing_sums_are_replaced_and_do_not_list_themselves(folder):
    before = (folder / CHECKSUMS).read_bytes()
    write_checksums(folder)
    assert (folder / CHECKSUMS).read_bytes() == before


@pytest.mark.parametrize("name", ["systems/keyword+mined/keyword.json", "taxonomy with space.yaml"])
def test_a_changed_byte_is_refused_with_the_name_of_its_file(folder, name):
    flip(folder / name, 0)
    with pytest.raises(BadInput, match="has changed") as caught:
        verify(folder)
    assert name in str(caught.value)


@pytest.mark.parametrize("bit", [1, 2, 7, 32, 128])
def test_every_changed_byte_of_the_sums_is_refused(folder, bit):
    path = folder / CHECKSUMS
    whole = path.read_bytes()
    for position in range(len(whole)):
        changed = bytearray(whole)
        changed[position] ^= bit
        path.write_bytes(bytes(changed))
        with pytest.raises(BadInput, match=CHECKSUMS):
            verify(folder)


def test_missing_files_and_files_that_are_not_listed_are_named_together(folder):
    (folder / "empty.csv").unlink()
    (folder / "systems" / "more.txt").write_text("more")
    with pytest.raises(BadInput, match=r"empty.csv is missing; systems/more.txt is not listed"):
        verify(folder)


def test_a_link_to_a_file_or_a_folder_is_refused(folder, tmp_path):
    inside = folder / "taxonomy with space.yaml"
    inside.rename(tmp_path / "elsewhere.yaml")
    inside.symlink_to(tmp_path / "elsewhere.yaml")
    with pytest.raises(BadInput, match=r"holds taxonomy with space\.yaml, a link"):
        verify(folder)
    inside.unlink()
    (tmp_path / "elsewhere.yaml").rename(inside)
    verify(folder)
    (folder / "more").symlink_to(tmp_path)
    with pytest.raises(BadInput, match="holds more, a link"):
        verify(folder)
    with pytest.raises(BadInput, match="holds more, a link"):
        write_checksums(folder)


@pytest.mark.parametrize(
    "name", ["../out.txt", "/etc/passwd", "systems/../../out.txt", "./a", "a//b", CHECKSUMS, "a\rb"]
)
def test_a_line_that_leads_out_of_the_folder_is_refused_even_with_the_right_sum(folder, tmp_path, name):
    (tmp_path / "out.txt").write_text("")
    empty = read_checksums(folder)["empty.csv"]
    with (folder / CHECKSUMS).open("ab") as opened:
        opened.write(f"{empty}  {name}\n".encode())
    with pytest.raises(BadInput, match=r"SHA256SUMS, line 4: .* is no file of the folder"):
        verify(folder)


@pytest.mark.parametrize(
    "line",
    ["", "no sum\n", "{sum} empty.csv\n", "{sum} *other.csv\n", "{SUM}  other.csv\n", "{sum}  \n", "{sum}  other.csv"],
)
def test_a_malformed_line_is_refused_with_its_number(folder, line):
    digest = read_checksums(folder)["empty.csv"]
    with (folder / CHECKSUMS).open("a") as opened:
        opened.write(line.format(sum=digest, SUM=digest.upper()) or "\n")
    with pytest.raises(BadInput, match=r"SHA256SUMS, line 4: expected a sum of 64 digits"):
        verify(folder)


def test_a_file_that_is_listed_twice_is_refused(folder):
    text = (folder / CHECKSUMS).read_text()
    (folder / CHECKSUMS).write_text(text + text.splitlines(keepends=True)[0])
    with pytest.raises(BadInput, match=r"line 4: 'empty.csv' is listed twice"):
        verify(folder)


def test_a_folder_without_sums_is_no_exported_one(tmp_path):
    with pytest.raises(BadInput, match="is no exported folder: it has no SHA256SUMS"):
        verify(tmp_path)


def test_a_name_that_no_line_can_hold_is_refused(folder):
    (folder / "two\nlines").write_text("")
    with pytest.raises(BadInput, match="a name that no line of SHA256SUMS can hold"):
        write_checksums(folder)
