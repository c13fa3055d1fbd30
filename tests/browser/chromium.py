"""A headless Chromium, driven by its DevTools protocol over a pair of pipes: no driver and no library between."""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
PROGRAM: Final = next((found for name in NAMES if (found := shutil.which(name))), None)
WHY_NOT: Final = f"none of {', '.join(NAMES)} is installed here"
FLAGS: Final = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
    *("--hide-scrollbars", "--remote-debugging-pipe", "--disable-background-networking", "--disable-extensions"),
)
PATIENCE_SECONDS: Final = 45.0
SETTLED: Final = "document.readyState === 'complete' && !document.querySelector('meta[http-equiv=refresh]')"
FIRST_FREE: Final = 10
READ_AT_ONCE: Final = 1 << 16
# Chromium reads commands from descriptor 3 and writes answers to 4.
LAUNCH: Final = "import os, sys; r, w, *c = sys.argv[1:]; os.dup2(int(r), 3); os.dup2(int(w), 4); os.execv(c[0], c)"


class Tab:
    """One page of a browser."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands = commands
        self._answers = answers
        self._read = b""
        self._sent = 0
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []

    def attach(self) -> None:
        """Open a page and listen to what it says."""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **parameters: Any) -> Any:
        """Send a command and wait for its answer; raises RuntimeError where the browser refuses it."""
        self._sent += 1
        message: dict[str, Any] = {"id": self._sent, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != self._sent:
            self.events.append(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def _next(self) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while b"\0" not in self._read:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._answers], [], [], left)[0]:
                raise TimeoutError("Chromium does not answer")
            read = os.read(self._answers, READ_AT_ONCE)
            if not read:
                raise RuntimeError("Chromium has ended")
            self._read += read
        message, _, self._read = self._read.partition(b"\0")
        decoded: dict[str, Any] = json.loads(message)
        return decoded

    def open(self, address: str) -> None:
        """Load an address, and wait until nothing more happens to it: pages may send on to others."""
        self.events.clear()
        self.ask("Page.navigate", url=address)
        self.settle()

    def settle(self) -> None:
        """Wait for the page that loads now, and for those it leads to by itself."""
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(self._next())
        while not self._is_there():
            self.events.append(self._next())

    def _is_there(self) -> bool:
        """Whether a page is whole and does not go on by itself; while it goes on there may be none to ask."""
        try:
            return bool(self.run(SETTLED))
        except RuntimeError:
            return False

    def run(self, expression: str) -> Any:
        """The value of an expression in the page; raises RuntimeError where it throws."""
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def resize(self, width: int, height: int, *, dark: bool = False) -> None:
        """Show the page in a window of this size, in light or in dark."""
        self.ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])

    def press(self, key: str) -> None:
        """Press and let go a key, as `Tab` or `Enter`."""
        codes = {"Tab": 9, "Enter": 13}
        for kind in ("rawKeyDown", "char", "keyUp") if key == "Enter" else ("rawKeyDown", "keyUp"):
            text = {"text": "\r"} if kind == "char" else {}
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=codes[key], **text)

    def picture(self) -> bytes:
        """The whole page as PNG."""
        shot = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        return base64.b64decode(shot["data"])

    def printed(self) -> bytes:
        """The page as it is printed, as PDF."""
        return base64.b64decode(self.ask("Page.printToPDF", printBackground=False, preferCSSPageSize=True)["data"])

    @property
    def complaints(self) -> list[str]:
        """What the browser's console says of the page: refused by policy, not found, not understood."""
        logged = [event["params"]["entry"]["text"] for event in self.events if event["method"] == "Log.entryAdded"]
        called = [str(event["params"]) for event in self.events if event["method"] == "Runtime.consoleAPICalled"]
        return logged + called


@contextmanager
def browser(folder: Path) -> Iterator[Tab]:
    """A browser with a profile of its own in `folder`; it ends with the block."""
    (read_commands, commands), (answers, write_answers) = os.pipe(), os.pipe()
    theirs = [fcntl.fcntl(fd, fcntl.F_DUPFD, FIRST_FREE) for fd in (read_commands, write_answers)]
    launch = [sys.executable, "-c", LAUNCH, *map(str, theirs), str(PROGRAM), *FLAGS, f"--user-data-dir={folder}"]
    process = subprocess.Popen(launch, pass_fds=theirs, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    for fd in (read_commands, write_answers, *theirs):
        os.close(fd)
    try:
        tab = Tab(commands, answers)
        tab.attach()
        yield tab
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)
        os.close(commands)
        os.close(answers)
