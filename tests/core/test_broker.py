"""The broker of files: no reader ever meets half a message."""

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
        transport="wikivisage.broker:Transport",
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
