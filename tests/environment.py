"""The environment of a test run, set before Django reads its settings.

Loaded by `-p tests.environment` in pyproject.toml, since pytest-django sets Django up before
any conftest.py is read. Processes that tests start inherit it: the same sandbox, the same
data folder.
"""

import atexit
import os
import shutil
import tempfile

from bench.system import free_ports

DATA_DIR = tempfile.mkdtemp(prefix="wikivisage-tests-")
atexit.register(shutil.rmtree, DATA_DIR, ignore_errors=True)


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    [port] = free_ports(1)
    return port


SANDBOX_PORT = free_port()

# A developer's own settings must not change what the tests see; only the servers may be chosen.
for name in ("OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET", "MODERATORS", "PORT", "SITE_URL", "DEBUG"):
    os.environ.pop(name, None)
os.environ |= {
    "WIKI": "sandbox",
    "DATA_DIR": DATA_DIR,
    "SANDBOX_PORT": str(SANDBOX_PORT),
    "SANDBOX_URL": f"http://127.0.0.1:{SANDBOX_PORT}",
    # test processes side by side share a Redis, not their queues
    "REDIS_PREFIX": f"{os.path.basename(DATA_DIR)}:",
    "SECRET_KEY": "only for tests, and long enough for https",
    "SEALING_KEYS": "1:dGVzdHMgc2VhbCB3aXRoIHRoaXMgMzItYnl0ZSBrZXk=",
}
