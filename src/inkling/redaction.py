"""Take secrets out of texts before anyone reads or keeps them: passwords in URLs and settings, access tokens.

A memory travels, and logs are shared: what is printed or written passes through `redacted`, and nothing else hides
secrets. It would sooner hide too much than too little.
"""

from __future__ import annotations

import os
import re
from urllib.parse import unquote, unquote_plus

HIDDEN = "***"

_SECRET_KEYS = re.compile(
    r"pass(word|wd|phrase)?$|pwd$|secret$|token$|(api|account|access|secret)_?key$|^sig$|signature$", re.IGNORECASE
)
"""Ends of the names of settings that hold secrets: ``password``, ``sslpassword``, ``oauth_client_secret``."""

_TOKEN_VARIABLES = (
    *("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HUGGINGFACEHUB_API_TOKEN", "PGPASSWORD"),
    *("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_CONNECTION_STRING"),
)
_SHORTEST_VALUE = 6
"""Values of those variables that are shorter would be found within ordinary words."""

_SERVER = re.compile(r"(?P<head>(--?[\w-]+=)?postgres(ql)?(\+\w+)?:/*)(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
"""The URL of a database that is the whole text, perhaps as the value of an option."""

_USER_INFO = re.compile(r"(\b[a-z][a-z0-9+.-]+:/{1,3}[^\s:@/]*:)(?:\S*|[^@/\n]*)@", re.IGNORECASE)
_PARAMETER = re.compile(r"([?&;])([^\s=&;]+)=('[^'\n]*'|\"[^\"\n]*\"|[^\s&;]*)")
_SETTING = re.compile(
    r"((?:\b|%20|%2D)(?:ssl)?pass(?:word|wd)(?:\s*=\s*|%3D))('(?:[^'\\]|\\.)*'|\"[^\"]*\"|[^\s&;]+)", re.IGNORECASE
)
_TOKEN = re.compile(r"\b(hf_|api_org_)[A-Za-z0-9]{16,}|\b(Bearer\s+)[\w.~+/=-]{8,}")


def redacted(text: str) -> str:
    """The text with ``***`` for each secret in it.

    Hidden are passwords of URLs (``postgresql://user:PASSWORD@host``, ``?password=``, ``?sslpassword=``, also with
    percent-encoded names), of settings (``password=...``), tokens of the Hugging Face hub, and the values of the
    environment variables that hold such a token.

    Parameters
    ----------
    text
        A message, or one argument of a command line.

    Returns
    -------
    str
        The same text where there is no secret in it.

    Examples
    --------
    >>> redacted("postgresql://ada:s3cret@db.example.org/vehicles?sslmode=require")
    'postgresql://ada:***@db.example.org/vehicles?sslmode=require'
    >>> redacted("postgresql:///vehicles?user=ada&password=s3cret")
    'postgresql:///vehicles?user=ada&password=***'
    >>> redacted("photos/train")
    'photos/train'
    """
    for name in _TOKEN_VARIABLES:
        value = os.environ.get(name, "")
        if len(value) >= _SHORTEST_VALUE:
            text = text.replace(value, HIDDEN)
    whole = _SERVER.fullmatch(text)
    if whole is not None:
        return whole["head"] + _without_secrets(whole["rest"])
    text = _USER_INFO.sub(rf"\g<1>{HIDDEN}@", text)
    text = _PARAMETER.sub(lambda found: f"{found[1]}{_parameter(found[2], found[3])}", text)
    text = _SETTING.sub(rf"\g<1>{HIDDEN}", text)
    return _TOKEN.sub(lambda found: f"{found[1] or found[2]}{HIDDEN}", text)


def _without_secrets(rest: str) -> str:
    """All of a database's URL after its scheme. A password may hold any character, so it ends at the last ``@``."""
    user, colon, after = rest.partition(":")
    if colon and "@" in after and not set(user) & set("@/?"):
        rest = f"{user}:{HIDDEN}@{after.rpartition('@')[2]}"
    address, question, query = rest.partition("?")
    if not question:
        return _SETTING.sub(rf"\g<1>{HIDDEN}", address)
    parameters = [one.partition("=") for one in query.split("&")]
    return f"{address}?" + "&".join(_parameter(name, value) if equals else name for name, equals, value in parameters)


def _parameter(name: str, value: str) -> str:
    key, inside = unquote(name), unquote_plus(value)
    return f"{name}={HIDDEN if _SECRET_KEYS.search(key) or _SETTING.search(inside) else value}"
