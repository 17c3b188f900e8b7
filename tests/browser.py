"""A real Chromium for tests, driven through the WebDriver protocol with nothing but the standard library.

``Browser`` opens pages, runs script in them, presses keys, speaks to the DevTools (emulation, printing, screenshots)
and returns what the console said and what was asked from the network. ``browser`` is a fixture; it skips with one line
where Chromium or its driver is not installed.
"""

from __future__ import annotations

import base64
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

__all__ = ["KEYS", "Browser", "browser", "opened"]

KEYS = {"Enter": "\ue007", "Space": " ", "Tab": "\ue004", "Escape": "\ue00c"}
FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--hide-scrollbars", "--window-size=1280,900"]
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
#: no proxy stands between a test and the driver on this computer
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Browser:
    """One tab of a running Chromium."""

    def __init__(self, root: str, binary: str) -> None:
        wanted = {"browserName": "chrome", "goog:chromeOptions": {"binary": binary, "args": FLAGS},
                  "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}
        answer = _post(f"{root}/session", {"capabilities": {"alwaysMatch": wanted}})
        self._session = f"{root}/session/{answer['sessionId']}"

    def open(self, path: Path) -> None:
        """Load a file."""
        self._ask("url", {"url": path.resolve().as_uri()})

    def js(self, script: str, *arguments: Any) -> Any:
        """Run ``script`` as the body of a function and return what it returns."""
        return self._ask("execute/sync", {"script": script, "args": list(arguments)})

    def find(self, css: str) -> str:
        """The first element that a selector names, for ``click`` and ``press``."""
        return str(self._ask("element", {"using": "css selector", "value": css})[ELEMENT])

    def click(self, css: str) -> None:
        self.js("document.querySelector(arguments[0]).scrollIntoView({block: 'center', behavior: 'instant'})", css)
        self._ask(f"element/{self.find(css)}/click", {})

    def press(self, css: str, keys: str) -> None:
        """Type into an element that takes the keyboard's focus."""
        self._ask(f"element/{self.find(css)}/value", {"text": keys})

    def tools(self, command: str, **parameters: Any) -> dict[str, Any]:
        """A command of the DevTools protocol."""
        return dict(self._ask("goog/cdp/execute", {"cmd": command, "params": parameters}))

    def size(self, width: int, height: int = 900, *, mobile: bool = False) -> None:
        self.tools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile)

    def prefer(self, **features: str) -> None:
        """Pretend preferences: ``prefer(prefers_color_scheme="dark")``."""
        told = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.tools("Emulation.setEmulatedMedia", media="", features=told)

    def picture(self, path: Path) -> Path:
        """The whole page as PNG."""
        shot = self.tools("Page.captureScreenshot", captureBeyondViewport=True, format="png")
        path.write_bytes(base64.b64decode(shot["data"]))
        return path

    def pdf(self) -> bytes:
        """The page as it is printed."""
        return base64.b64decode(self.tools("Page.printToPDF", printBackground=True)["data"])

    def console(self) -> list[str]:
        """What the console said since it was last asked."""
        return [str(entry["message"]) for entry in self._ask("se/log", {"type": "browser"})]

    def requests(self) -> list[str]:
        """Every address that was asked for since this was last called."""
        events = [json.loads(entry["message"])["message"] for entry in self._ask("se/log", {"type": "performance"})]
        return [str(e["params"]["request"]["url"]) for e in events if e["method"] == "Network.requestWillBeSent"]

    def close(self) -> None:
        request = urllib.request.Request(self._session, method="DELETE")
        with DIRECT.open(request, timeout=60):
            pass

    def _ask(self, command: str, body: dict[str, Any]) -> Any:
        return _post(f"{self._session}/{command}", body)


def _post(address: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(address, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with DIRECT.open(request, timeout=60) as answer:
            return json.load(answer)["value"]
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{address.rsplit('/', 1)[-1]}: {error.read().decode()[:500]}") from error


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def _wait(port: int, driver: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if driver.poll() is not None:
                break
            time.sleep(0.1)
    raise AssertionError("chromedriver did not answer")


@contextmanager
def opened(binary: str, driver: str) -> Iterator[Browser]:
    """A browser that is closed again."""
    port = _free_port()
    running = subprocess.Popen([driver, f"--port={port}", "--silent"], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        _wait(port, running)
        tab = Browser(f"http://127.0.0.1:{port}", binary)
        try:
            yield tab
        finally:
            tab.close()
    finally:
        running.terminate()
        running.wait()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A Chromium for the whole run of tests."""
    binary, driver = shutil.which("chromium") or shutil.which("chromium-browser"), shutil.which("chromedriver")
    if not binary or not driver:
        pytest.skip("no Chromium here: install the packages chromium and chromium-driver")
    with opened(binary, driver) as tab:
        yield tab
