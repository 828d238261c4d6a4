"""A headless Chromium under control, and a server of static files, for tests, benchmarks and screenshots of pages.

Chromium is steered by its DevTools protocol over two pipes, so nothing is needed beside the browser itself. Everything
that the page and its workers ask of a network, and every complaint on a console, is kept.
"""

from __future__ import annotations

import base64
import fcntl
import functools
import http.server
import json
import os
import select
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
_OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # root, as in a container, gets no sandbox
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--mute-audio",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
_LEAST_DESCRIPTOR = 10
"""Above 3 and 4, which Chromium reads and writes."""


class BrowserError(Exception):
    """Chromium doesn't answer, or a script in the page failed."""


def find_chromium() -> str | None:
    """Path of a Chromium; None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """A Chromium with one page. Use as a context manager.

    Attributes
    ----------
    requests
        Addresses that the page and its workers asked for, in order.
    complaints
        Errors and warnings on the consoles of page and workers, and exceptions that nobody caught.
    """

    def __init__(self, *options: str) -> None:
        self._options = options
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._answers: dict[int, Mapping[str, Any]] = {}
        self._number, self._session = 0, ""
        self._unread = b""
        self._choosers: list[int] = []

    def __enter__(self) -> Browser:
        self._profile = tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
        (their_in, self._out), (self._in, their_out) = _pipe(), _pipe()
        program = find_chromium()
        if program is None:
            raise BrowserError(f"No Chromium is installed; looked for {', '.join(NAMES)}.")
        command = [program, *_OPTIONS, f"--user-data-dir={self._profile.name}", *self._options, "about:blank"]
        self._process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{their_in} 4>&{their_out}', "bash", *command],
            pass_fds=(their_in, their_out),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(their_in)
        os.close(their_out)
        try:
            self._attach()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._out)
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._in)
        self._profile.cleanup()

    def call(self, method: str, *, session: str | None = None, seconds: float = 60, **parameters: Any) -> Any:
        """Result of a method of the DevTools protocol, of the page unless `session` names another."""
        number = self._send(method, parameters, self._session if session is None else session)
        ends = time.monotonic() + seconds
        while number not in self._answers:
            self._read(ends, what=method)
        answer = self._answers.pop(number)
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def open(self, address: str) -> None:
        """Go to an address, and forget what was kept of the page before."""
        self.requests.clear()
        self.complaints.clear()
        self._choosers.clear()
        self.call("Page.navigate", url=address)
        self.wait_for(f"location.href.startsWith({json.dumps(address)}) && document.readyState === 'complete'")

    def evaluate(self, script: str, *, seconds: float = 60) -> Any:
        """Value of an expression in the page; a promise is waited for."""
        done = self.call(
            "Runtime.evaluate",
            seconds=seconds,
            expression=script,
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
        )
        if "exceptionDetails" in done:
            raise BrowserError(_told(done["exceptionDetails"]))
        return done["result"].get("value")

    def wait_for(self, condition: str, *, seconds: float = 60) -> None:
        """Wait until an expression in the page is true."""
        ends = time.monotonic() + seconds
        while not self._holds(condition):
            if time.monotonic() > ends:
                raise BrowserError(f"Waited {seconds:.0f} s in vain for: {condition}\n" + "\n".join(self.complaints))
            time.sleep(0.02)

    def choose_files(self, selector: str, paths: Sequence[Path]) -> None:
        """Choose files in an input, as a person would in its dialogue."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=[str(path.resolve()) for path in paths])

    @contextmanager
    def choosing(self, paths: Sequence[Path]) -> Iterator[None]:
        """Choose files in the dialogue that what is done within the block opens."""
        self.call("Page.setInterceptFileChooserDialog", enabled=True)
        yield
        ends = time.monotonic() + 10
        while not self._choosers:
            self._read(ends, what="a dialogue to choose files")
        files = [str(path.resolve()) for path in paths]
        self.call("DOM.setFileInputFiles", backendNodeId=self._choosers.pop(), files=files)
        self.call("Page.setInterceptFileChooserDialog", enabled=False)

    def drop_files(self, selector: str, paths: Sequence[Path]) -> None:
        """Drag files over an element and let them go."""
        box = self.evaluate(
            f"(({{x, y}}) => [x + 9, y + 9])(document.querySelector({selector!r}).getBoundingClientRect())"
        )
        data = {"items": [], "files": [str(path.resolve()) for path in paths], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            self.call("Input.dispatchDragEvent", type=kind, x=box[0], y=box[1], data=data)

    def looks(self, *, width: int, height: int, dark: bool = False, scale: float = 1.0, phone: bool = False) -> None:
        """Size of the window in CSS pixels, pixels for each, and the colours that a person prefers."""
        size = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": phone}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        self.call("Emulation.setTouchEmulationEnabled", enabled=phone)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call(
            "Emulation.setEmulatedMedia", features=[scheme, {"name": "prefers-reduced-motion", "value": "reduce"}]
        )

    def screenshot(self, path: Path, *, whole_page: bool = False) -> None:
        """Write what is seen, or the page to its end, as a PNG."""
        done = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole_page)
        path.write_bytes(base64.b64decode(done["data"]))

    def _holds(self, condition: str) -> bool:
        try:
            return bool(self.evaluate(f"Boolean({condition})"))
        except BrowserError:  # the page is being replaced by the next
            return False

    def _attach(self) -> None:
        pages = self.call("Target.getTargets", session="")["targetInfos"]
        page = next(each["targetId"] for each in pages if each["type"] == "page")
        self._session = self.call("Target.attachToTarget", session="", targetId=page, flatten=True)["sessionId"]
        for method, parameters in _WATCHING:
            self.call(method, **parameters)
        self.call("Page.enable")

    def _send(self, method: str, parameters: Mapping[str, Any], session: str) -> int:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        data = json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0"
        try:
            while data:
                data = data[os.write(self._out, data) :]
        except BrokenPipeError as error:
            raise BrowserError("Chromium has ended.") from error
        return self._number

    def _read(self, ends: float, *, what: str) -> None:
        """Take in what Chromium sends next."""
        if not select.select([self._in], [], [], max(ends - time.monotonic(), 0))[0]:
            raise BrowserError(f"Chromium did not answer in time: {what}")
        data = os.read(self._in, 1 << 20)
        if not data:
            raise BrowserError("Chromium has ended.")
        *messages, self._unread = (self._unread + data).split(b"\0")
        for message in map(json.loads, messages):
            if "id" in message:
                self._answers[message["id"]] = message
            else:
                self._notice(message["method"], message["params"])

    def _notice(self, method: str, told: Mapping[str, Any]) -> None:
        """Keep what a page or worker asked for or complained of; watch each worker from its first step on."""
        match method:
            case "Network.requestWillBeSent":
                self.requests.append(told["request"]["url"])
            case "Page.fileChooserOpened":
                self._choosers.append(told["backendNodeId"])
            case "Runtime.exceptionThrown":
                self.complaints.append(_told(told["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if told["type"] in ("error", "warning", "assert"):
                self.complaints.append(" ".join(str(one.get("value", one.get("description"))) for one in told["args"]))
            case "Log.entryAdded" if told["entry"]["level"] in ("error", "warning"):
                self.complaints.append(f"{told['entry']['text']} {told['entry'].get('url', '')}".strip())
            case "Target.attachedToTarget":
                for way, parameters in (*_WATCHING, ("Runtime.runIfWaitingForDebugger", {})):
                    self._send(way, parameters, told["sessionId"])


_WATCHING: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("Runtime.enable", {}),
    ("Log.enable", {}),
    ("Network.enable", {}),
    ("Target.setAutoAttach", {"autoAttach": True, "waitForDebuggerOnStart": True, "flatten": True}),
)


def _pipe() -> tuple[int, int]:
    """A pipe's two ends, none of which has a number that Chromium counts on."""
    ends = os.pipe()
    moved = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, _LEAST_DESCRIPTOR) for end in ends)
    for end in ends:
        os.close(end)
    return moved[0], moved[1]


def _told(details: Mapping[str, Any]) -> str:
    return str(details.get("exception", {}).get("description") or details["text"])


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder and keeps the paths that are asked for."""

    def __init__(self, *args: Any, asked: list[str], headers: Mapping[str, str], **options: Any) -> None:
        self._asked, self._more = asked, headers
        super().__init__(*args, **options)

    def end_headers(self) -> None:
        for name, value in self._more.items():
            self.send_header(name, value)
        super().end_headers()

    def log_request(self, code: int | str = "-", *_: object) -> None:
        self._asked.append(f"{self.path} {int(code)}")

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing on the terminal."""


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A browser that ends while it is answered is no error."""


@contextmanager
def serving(folder: Path, headers: Mapping[str, str] | None = None) -> Iterator[tuple[str, list[str]]]:
    """Serve a folder as `python -m http.server` does.

    Yields its address, and the list of paths asked for with the status of each answer, which grows.
    """
    asked: list[str] = []
    handler: Callable[..., Any] = functools.partial(_Handler, asked=asked, headers=headers or {}, directory=str(folder))
    with _Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", asked
        finally:
            server.shutdown()
            thread.join()
