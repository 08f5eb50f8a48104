"""Starts the real binary for tests with real clients.

The binary is $HOLDFAST_BIN, or `holdfast` in the debug folder of $CARGO_TARGET_DIR (default: target). It binds
127.0.0.1 on ports that the system chooses and works in a directory of its own, which is removed afterwards.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Seconds that a start, with recovery, and a graceful stop may take before the test fails.
START_LIMIT_S = 30
STOP_LIMIT_S = 10
# By environment and not by flag, so that a build without one of these listeners runs too.
OTHER_PORTS = {"HOLDFAST_PORT": "0", "HOLDFAST_CONSOLE_PORT": "0", "HOLDFAST_SMTP_PORT": "off"}


def binary():
    given = os.environ.get("HOLDFAST_BIN")
    if given:
        return given
    return str(pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug" / "holdfast")


class Server:
    """One data directory, and at most one process working on it; settings are more of its environment."""

    def __init__(self, **settings):
        self.settings = settings
        self.directory = tempfile.mkdtemp(prefix="holdfast-clients-")
        self.data = os.path.join(self.directory, "data")
        self.process = None
        self.ready = None

    def start(self):
        """Starts the server and waits for its ready line."""
        with open(os.path.join(self.directory, "log"), "ab") as log:
            self.process = subprocess.Popen(
                [binary(), "serve", "--json", "--data-dir", self.data, "--host", "127.0.0.1",
                 "--dynamodb-port", "0"],
                env=os.environ | OTHER_PORTS | self.settings, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)
        # The line comes, or the process ends and the pipe closes; the alarm is for a server that does neither.
        signal.signal(signal.SIGALRM, lambda *_: self.process.kill())
        signal.alarm(START_LIMIT_S)
        try:
            for line in self.process.stdout:
                event = json.loads(line)
                if event.get("event") == "ready":
                    self.ready = event
                    return self
        finally:
            signal.alarm(0)
        raise AssertionError("no ready line:\n" + self.log())

    @property
    def endpoint(self):
        return self.ready["dynamodb"]

    def log(self):
        with open(os.path.join(self.directory, "log"), encoding="utf-8", errors="replace") as log:
            return log.read()[-4000:]

    def kill(self):
        """As a crash does: no chance to flush anything."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def stop(self):
        """Asks it to end; the exit code."""
        self.process.terminate()
        try:
            return self.process.wait(STOP_LIMIT_S)
        finally:
            self.process.stdout.close()

    def remove(self):
        if self.process and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)
