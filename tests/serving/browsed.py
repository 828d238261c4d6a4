"""What a person does on the page of a service."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from browser import Browser

VIEWS = ("ask", "classes", "review", "label", "check", "history")
TOASTS = "document.getElementById('toasts').innerText"

_RING = """((one) => {
  const { outlineStyle, outlineWidth } = getComputedStyle(one.matches("[type=file]") ? one.closest(".button") : one);
  return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
})(document.activeElement)"""


@dataclass(frozen=True)
class Person:
    """Somebody with the page open.

    Attributes
    ----------
    address
        Of the service.
    """

    browser: Browser
    address: str

    def go(self, view: str) -> None:
        """Open a view anew."""
        self.browser.open("about:blank")
        self.browser.open(f"{self.address}/#{view}")
        self.browser.wait_for("document.querySelector('main h1')")

    def choose(self, paths: Sequence[Path], *, field: str = "main .drop-zone input") -> None:
        """Choose pictures."""
        self.browser.wait_for(f"document.querySelector({field!r})")
        self.browser.choose_files(field, paths)

    def press(self, text: str, *, within: str = "body") -> None:
        """Press a button by what it says."""
        found = (
            f"[...(document.querySelector({within!r})?.querySelectorAll('button') ?? [])]"
            f".find((one) => one.checkVisibility() && !one.disabled && one.textContent.trim() === {text!r})"
        )
        # Found and pressed in one step: the page may draw itself anew in between.
        self.browser.wait_for(f"(() => {{ const one = {found}; one?.click(); return Boolean(one); }})()")

    def key(self, key: str, *, ctrl: bool = False) -> None:
        """Press a key where the focus is."""
        codes = {"Enter": 13, "Tab": 9, " ": 32, "Escape": 27, "F6": 117}
        codes |= {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
        code = codes.get(key, ord(key.upper()[0]))
        text = {"Enter": "\r", " ": " "}.get(key, key if len(key) == 1 and not ctrl else "")
        about = {"key": key, "windowsVirtualKeyCode": code, "modifiers": 2 if ctrl else 0}
        self.browser.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text, **about)
        self.browser.call("Input.dispatchKeyEvent", type="keyUp", **about)

    def choose_by_keys(self, paths: Sequence[Path], *, field: str) -> None:
        """Go to a way to choose pictures, and choose some."""
        self.tab_to(field)
        with self.browser.choosing(paths):
            self.key("Enter")

    def has_focus(self, what: str) -> None:
        """Wait until an element that fits a selector has the focus, and see a ring around it."""
        self.browser.wait_for(f"document.activeElement.matches({what!r})", seconds=10)
        assert self.browser.evaluate(_RING), f"no ring around {what!r}"

    def type(self, text: str) -> None:
        """Type where the focus is."""
        self.browser.call("Input.insertText", text=text)

    def tab_to(self, what: str, *, most: int = 80) -> None:
        """Tab until an element that fits a selector, or says a text, has the focus."""
        fits = f"((one) => one.matches({what!r}))(document.activeElement)"
        if what.startswith("="):
            fits = f"document.activeElement.textContent.trim() === {what[1:]!r}"
        for _ in range(most):
            self.key("Tab")
            if self.browser.evaluate(fits):
                return
        raise AssertionError(f"no tab leads to {what!r}")

    def reads(self, text: str, *, where: str = "document.body.innerText", seconds: float = 30) -> None:
        """Wait until the page says something."""
        self.browser.wait_for(f"{where}.includes({text!r})", seconds=seconds)

    def text(self, selector: str) -> str:
        """What an element says."""
        return str(self.browser.evaluate(f"document.querySelector({selector!r}).innerText"))

    def settled(self) -> None:
        """Wait until nothing was asked of the service for a moment."""
        before = -1
        while before != len(self.browser.requests):
            before = len(self.browser.requests)
            time.sleep(0.15)
            self.browser.evaluate("0")
