"""A headless Chromium that opens one page and says what it saw.

Over Chrome's DevTools protocol through a pipe (``--remote-debugging-pipe``: JSON with a zero byte
after each message, from descriptor 3 and to descriptor 4); no port, no driver.
https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_TIMEOUT = 60.0
_TABLET = 600
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--window-size=1200,900",
    "--remote-debugging-pipe",
)

#: The least contrast of a text with what it is on, by WCAG 2.
_CONTRAST = """
(() => {
  const light = c => { c /= 255; return c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4; };
  const of = rgb => { const [r, g, b] = rgb.match(/[\\d.]+/g).map(Number);
                      return .2126 * light(r) + .7152 * light(g) + .0722 * light(b); };
  const behind = e => { for (; e; e = e.parentElement) {
    const found = getComputedStyle(e).backgroundColor;
    if (!/rgba\\(.*, 0\\)/.test(found)) return found; } return 'rgb(255, 255, 255)'; };
  let least = [99, ''];
  const texts = 'h1, h2, p, a, td, th, li, b, code, span, dt, dd, figcaption, svg text';
  for (const e of document.querySelectorAll(texts)) {
    if (!e.textContent.trim() || !e.getBoundingClientRect().width) continue;
    const style = getComputedStyle(e);
    const on = e.closest('svg') ? style.fill : style.color;
    const [a, b] = [of(on), of(behind(e))].sort((x, y) => y - x);
    const contrast = (a + .05) / (b + .05);
    if (contrast < least[0]) least = [contrast, `${e.tagName} ${e.textContent.slice(0, 40)}`];
  }
  return least;
})()
"""


def chromium() -> str | None:
    """The browser's program, where there is one."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


@dataclass
class Page:
    """A tab.

    :param problems: exceptions and what was logged as a warning or an error.
    :param requests: URLs that the page asked for.
    """

    _to: int
    _from: int
    problems: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    _session: str | None = None
    _last: int = 0
    _buffer: bytes = b""
    _loaded: bool = False

    def open(self, url: str, *, cookie: tuple[str, str] | None = None) -> None:
        """Load a page in a tab of its own, up to its load event.

        :param cookie: name and value, of the page's server.
        """
        self._session = None
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")
        if cookie is not None:
            self._call("Network.setCookie", name=cookie[0], value=cookie[1], url=url)
        self._loaded = False
        self.requests.clear()
        self._call("Page.navigate", url=url)
        while not self._loaded:
            self._take()

    def show_as(self, *, width: int = 1200, media: str = "", scheme: str = "light") -> None:
        """Pretend to be a screen of this width, or paper (``print``), with a preferred scheme."""
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=width < _TABLET,
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self._call("Emulation.setEmulatedMedia", media=media, features=features)

    def pdf(self) -> bytes:
        """As it is printed on A4."""
        size = {"paperWidth": 8.27, "paperHeight": 11.69, "preferCSSPageSize": True}
        return b64decode(self._call("Page.printToPDF", **size)["data"])

    def least_contrast(self) -> tuple[float, str]:
        """The contrast of the text that is hardest to read, and which that is."""
        contrast, where = self.evaluate(_CONTRAST)
        return contrast, where

    def press_tab(self) -> None:
        """Go on to what can be focused next, as a keyboard does."""
        key = {"key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}
        for kind in ("keyDown", "keyUp"):
            self._call("Input.dispatchKeyEvent", type=kind, **key)

    def until(self, condition: str) -> None:
        """Wait until a JavaScript expression holds."""
        end = time.monotonic() + _TIMEOUT
        while not self.evaluate(f"Boolean({condition})"):
            assert time.monotonic() < end, condition
            time.sleep(0.2)

    def evaluate(self, expression: str) -> Any:
        """A JavaScript expression's value."""
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def screenshot(self, height: float | None = None) -> str:
        """The whole page as a PNG, in base64, or the top of it, in pixels."""
        clip: dict[str, Any] = {}
        if height is not None:
            width = self.evaluate("document.documentElement.clientWidth")
            clip["clip"] = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        data: str = self._call("Page.captureScreenshot", captureBeyondViewport=True, **clip)["data"]
        return data

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._take()
            if answer.get("id") == self._last:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result

    def _take(self) -> dict[str, Any]:
        deadline = time.monotonic() + _TIMEOUT
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._from], [], [], max(0, deadline - time.monotonic()))
            chunk = os.read(self._from, 1 << 16) if ready else b""
            if not chunk:
                raise AssertionError("the browser ended or did not answer")
            self._buffer += chunk
        text, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        self._note(message.get("method", ""), message.get("params", {}))
        return message

    def _note(self, event: str, told: dict[str, Any]) -> None:
        if event == "Page.loadEventFired":
            self._loaded = True
        elif event == "Runtime.exceptionThrown":
            self.problems.append(str(told["exceptionDetails"]))
        elif event == "Runtime.consoleAPICalled" and told["type"] in {"error", "warning", "assert"}:
            self.problems.append(str(told["args"]))
        elif event == "Log.entryAdded" and told["entry"]["level"] in {"error", "warning"}:
            self.problems.append(str(told["entry"]))
        elif event == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])


@contextmanager
def browser(program: str, profile: Path) -> Iterator[Page]:
    """Start the browser; it is ended with all of its processes.

    :param profile: an empty directory for what it keeps.
    """
    commands, to = os.pipe()
    answers_from, answers = os.pipe()
    script = f'exec "$@" 3<&{commands} 4>&{answers}'
    arguments = ["bash", "-c", script, "bash", program, *_FLAGS, f"--user-data-dir={profile}"]
    process = subprocess.Popen(
        arguments,
        pass_fds=(commands, answers),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.close(commands)
    os.close(answers)
    try:
        yield Page(to, answers_from)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(to)
        os.close(answers_from)


def check_readable(page: Page) -> None:
    """That a page of one file can be read: light and dark, on a phone and on paper."""
    for scheme in ("light", "dark"):
        for media in ("", "print"):
            page.show_as(scheme=scheme, media=media)
            contrast, where = page.least_contrast()
            assert contrast >= 4.5, (scheme, media, where)
    page.show_as(width=390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.show_as(width=680, media="print")
    assert page.evaluate("document.documentElement.scrollWidth") <= 680
    assert page.problems == []
    assert len(page.requests) == 1
