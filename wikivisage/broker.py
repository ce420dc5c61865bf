"""The embedded broker: kombu's broker of files, whose messages appear whole or not at all.

kombu 5.7 opens a message's file under its final name and writes afterwards, so that a worker
that looks in between reads an empty file and ends with a JSON error.
"""

import os
import time
import uuid
from pathlib import Path
from typing import Any

from kombu.transport import filesystem
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    def _put(  # type: ignore[override]  # as in kombu, whose own two classes disagree
        self, queue: str, payload: dict[str, Any], **kwargs: Any
    ) -> None:
        """Write beside, then rename: a rename within a folder is atomic."""
        name = f"{round(time.monotonic() * 1000)}_{uuid.uuid4()}"
        folder = Path(self.data_folder_out)
        unseen = folder / f"{name}.part"
        unseen.write_text(dumps(payload), encoding="utf-8")
        os.replace(unseen, folder / f"{name}.{queue}.msg")


class Transport(filesystem.Transport):
    Channel = Channel
