"""The broker of files: no reader ever meets half a message."""

import os
import threading
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from kombu import Connection


@pytest.fixture
def broker(tmp_path: Path) -> Connection:
    for folder in ("queue", "control"):
        (tmp_path / folder).mkdir()
    return Connection(
        "filesystem://",
        transport="wikivisage.runtime.broker:Transport",
        transport_options={
            "data_folder_in": str(tmp_path / "queue"),
            "data_folder_out": str(tmp_path / "queue"),
            "control_folder": str(tmp_path / "control"),
        },
    )


def test_messages_that_are_read_while_they_are_written_are_whole(broker: Connection) -> None:
    number, large = 300, {"filler": "x" * 200_000}

    def write() -> None:
        channel: Any = broker.clone().channel()
        for each in range(number):
            channel._put("infer", {"number": each, **large})

    writer = threading.Thread(target=write)
    writer.start()
    reader: Any = broker.channel()
    got: list[int] = []
    while len(got) < number:
        was_alive = writer.is_alive()
        try:
            got.append(reader._get("infer")["number"])
        except Empty:
            assert was_alive, "a message was lost"
    writer.join()
    assert sorted(got) == list(range(number))


def test_a_message_of_another_queue_is_left_alone(broker: Connection) -> None:
    channel: Any = broker.channel()
    channel._put("write", {"task": "sdc.write"})
    with pytest.raises(Empty):
        channel._get("infer")
    assert channel._get("write") == {"task": "sdc.write"}


@pytest.mark.parametrize("kind", ["folder", "full folder", "endless", "pipe", "nowhere"])
def test_what_is_no_file_is_dropped(broker: Connection, tmp_path: Path, kind: str) -> None:
    odd = tmp_path / "queue/1_g.infer.msg"
    if kind in ("folder", "full folder"):
        odd.mkdir()
    if kind == "full folder":
        (odd / "other").write_text("x")
    if kind in ("endless", "nowhere"):
        odd.symlink_to("/dev/zero" if kind == "endless" else tmp_path / "nothing")
    if kind == "pipe":
        os.mkfifo(odd)
    channel: Any = broker.channel()
    channel._put("infer", {"task": "x"})
    assert channel._get("infer") == {"task": "x"}
    assert not odd.is_symlink()
    assert not odd.exists()


def test_a_file_that_cannot_be_read_is_dropped(
    broker: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a folder that appears just before the file is opened."""
    monkeypatch.setattr("wikivisage.runtime.broker.Channel._drop_impossible", lambda *_args: None)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "queue/1_g.infer.msg").mkdir()
    channel: Any = broker.channel()
    channel._put("infer", {"task": "x"})
    assert channel._get("infer") == {"task": "x"}


def test_workers_that_begin_an_exchange_at_once_are_all_bound(broker: Connection) -> None:
    """While others read which queues listen."""
    workers, rounds = 4, 50
    start, errors = threading.Barrier(workers), []

    def work(worker: int) -> None:
        channel: Any = broker.clone().channel()
        for each in range(rounds):
            start.wait(30)
            try:
                channel._queue_bind(f"x{each}", "", "", f"worker-{worker}")
                channel._put_fanout(f"x{each}", {"hello": worker}, "")
            except ValueError as error:
                errors.append(error)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    channel: Any = broker.channel()
    everybody = {f"worker-{worker}" for worker in range(workers)}
    for each in range(rounds):
        assert {row.queue for row in channel.get_table(f"x{each}")} == everybody


@pytest.mark.parametrize("left", ["", '[["", "", "worker'])
def test_what_a_crash_left_of_an_exchange_ends_no_worker(
    broker: Connection, tmp_path: Path, left: str
) -> None:
    (tmp_path / "control/pidbox.exchange").write_text(left)
    channel: Any = broker.channel()
    channel._put_fanout("pidbox", {"method": "ping"}, "")
    for queue in ("one", "other", "one"):
        channel._queue_bind("pidbox", "", "", queue)
    channel._put_fanout("pidbox", {"method": "ping"}, "")
    assert channel._get("one") == channel._get("other") == {"method": "ping"}
    channel._delete("one", "pidbox", "", "")
    assert [row.queue for row in channel.get_table("pidbox")] == ["other"]
