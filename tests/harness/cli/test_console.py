from harness.cli.console import _plain_lines


def test_plain_progress_lines_are_written_every_ten_seconds_and_at_the_end(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    on_progress = _plain_lines()
    for done in range(0, 101):
        now[0] = done * 0.25
        on_progress("fit", done, 100)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "  fit: 40 of 100 titles, 4 titles/s, 15 s left",
        "  fit: 80 of 100 titles, 4 titles/s, 5 s left",
        "  fit: 100 of 100 titles, 4 titles/s",
    ]
