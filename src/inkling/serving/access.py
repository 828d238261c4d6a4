"""Who may do what: tokens, the loopback rule, and what keeps the pages of other sites away."""

from __future__ import annotations

import hmac
import ipaddress
import os
import socket
import stat
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from inkling.errors import InputError
from inkling.serving.problems import Problem
from inkling.wording import excerpt

TOKEN_VARIABLE = "INKLING_TOKEN"
SHORTEST_TOKEN = 16
LOCAL = "local"
"""Who decides without a token, for the log."""
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_EXAMPLE = "Make one with: python -c 'import secrets; print(secrets.token_urlsafe())'"


@dataclass(frozen=True)
class Token:
    """A token by its hash, and who has it."""

    name: str
    digest: bytes

    @classmethod
    def of(cls, text: str, *, place: str) -> Token:
        """From ``NAME:TOKEN``, or a token alone.

        Raises
        ------
        InputError
            If it is too short.
        """
        name, colon, token = text.strip().rpartition(":")
        if len(token) < SHORTEST_TOKEN:
            raise InputError(
                f"A token in {place} has {len(token)} characters; {SHORTEST_TOKEN} are the least.", remedy=_EXAMPLE
            )
        return cls(excerpt(name.strip()) if colon and name.strip() else "token", sha256(token.encode()).digest())


def read_tokens(file: str | None) -> tuple[Token, ...]:
    """Tokens of a file, one a line, and of the environment.

    Raises
    ------
    InputError
        If the file cannot be read or has no token, or one is too short.
    """
    tokens = []
    if file is not None:
        path = Path(file)
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
            mode = path.stat().st_mode
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"The token file '{file}' cannot be read: {excerpt(error)}.", remedy=f"{_EXAMPLE} > {file}"
            ) from error
        if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
            warnings.warn(
                f"Others than you can read the token file '{file}'. Mend it with: chmod 600 '{file}'", stacklevel=2
            )
        texts = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
        if not texts:
            raise InputError(f"The token file '{file}' has no token.", remedy=f"{_EXAMPLE} > {file}")
        tokens += [Token.of(text, place=f"'{file}'") for text in texts]
    if given := os.environ.get(TOKEN_VARIABLE, "").strip():
        tokens.append(Token.of(given, place=TOKEN_VARIABLE))
    return tuple(tokens)


@dataclass(frozen=True)
class Access:
    """The rules.

    Attributes
    ----------
    tokens
        Those who may write. Without any, whoever asks from this machine may.
    read_only
        Whether nobody may.
    hosts
        Names by which the service may be called, beside addresses and ``localhost``.
    """

    tokens: tuple[Token, ...] = ()
    read_only: bool = False
    hosts: Sequence[str] = ()

    def require_own_site(self, scope: Scope) -> None:
        """Refuse requests that name another host, or come from the page of another site.

        A page of another site can have its name lead to this machine (DNS rebinding); then the request has that name.

        Raises
        ------
        Problem
            If it is such a request.
        """
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._is_own(_name_of(host)):
            raise Problem(
                421,
                "other-host",
                f"The request is for '{excerpt(host)}', which is no name of this service.",
                remedy="Use its address, or start the service with --allow-host and that name.",
            )
        if scope["method"] in _SAFE:
            return
        origin = headers.get("origin")
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin") or (
            origin is not None and urlsplit(origin).netloc.lower() != host.lower()
        ):
            which = f": '{excerpt(origin)}'" if origin else ", by its header Sec-Fetch-Site"
            raise Problem(
                403,
                "other-origin",
                f"The request comes from a page of another site{which}.",
                remedy="Use the page of the service itself, or a program.",
            )

    def writer(self, scope: Scope) -> str:
        """Who writes.

        Raises
        ------
        Problem
            If nobody may, or this one may not.
        """
        if self.read_only:
            raise Problem(403, "read-only", "This service only reads its memory.")
        if self.tokens:
            return self._by_token(Headers(scope=scope).get("authorization", ""))
        client = scope.get("client")
        host = _name_of(Headers(scope=scope).get("host", ""))
        if client is None or not is_loopback(client[0]) or not is_loopback(host):
            raise Problem(
                403,
                "not-local",
                "Without a token only a program on the same machine may write.",
                remedy="Start the service with --token-file.",
            )
        return LOCAL

    def _by_token(self, header: str) -> str:
        scheme, _, given = header.partition(" ")
        digest = sha256(given.strip().encode("utf-8", "surrogateescape")).digest()
        # All are compared, whichever fits.
        fitting = [one.name for one in self.tokens if hmac.compare_digest(one.digest, digest)]
        if scheme.lower() != "bearer" or not fitting:
            raise Problem(
                401,
                "token",
                "Writing needs a token of this service" + (", and this is none." if given else "."),
                remedy="Send the header 'Authorization: Bearer TOKEN'.",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return fitting[0]

    def _is_own(self, name: str) -> bool:
        known = {"localhost", socket.gethostname().lower(), *(one.lower() for one in self.hosts)}
        return name in known or name.endswith(".localhost") or _address(name) is not None


class OwnSiteOnly:
    """Answers requests that `Access.require_own_site` refuses.

    Parameters
    ----------
    app
        Answers the others.
    access
        The rules.
    """

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As the interface has it."""
        if scope["type"] == "http":
            try:
                self._access.require_own_site(scope)
            except Problem as problem:
                await problem.response(scope, receive, send)
                return
        await self._app(scope, receive, send)


def is_loopback(name: str) -> bool:
    """Whether a name or address is of this machine alone."""
    address = _address(name)
    if address is not None:
        mapped = getattr(address, "ipv4_mapped", None)
        return (mapped or address).is_loopback
    return name == "localhost" or name.endswith(".localhost")


def _name_of(host: str) -> str:
    """Name or address in a Host header, without the port."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None
