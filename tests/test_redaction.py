"""No secret survives, and what is none stays as it is."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import make_url

from inkling.redaction import redacted

SECRET = "s3cret"
TELLTALE = [
    "postgresql://me:s3cret@host/db",
    "postgresql+psycopg://me:s3cret@host:5432/db?sslmode=require",
    "postgres://me:s3cret@host/db",
    "POSTGRESQL://me:s3cret@host/db",
    "postgresql:/me:s3cret@host/db",  # what is left of it after a pass through pathlib
    "postgresql://:s3cret@host/db",
    "postgresql://me:s3c@s3cret@host/db",
    "postgresql://me:a/s3cret@host/db",
    "postgresql://me:a?s3cret@host/db",
    "postgresql://me:a s3cret@host/db",
    "postgresql://me:'s3cret@host/db",
    "postgresql:///db?password=s3cret",
    "postgresql:///db?user=me&password=s3cret&host=h",
    "postgresql:///db?sslmode=require&sslpassword=s3cret",
    "postgresql:///db?pass%77ord=s3cret",
    "postgresql:///db?PASSWORD=s3cret",
    "postgresql:///db?password=a s3cret&host=h",
    "postgresql:///db?password=a's3cret",
    "postgresql:///db?options=-c%20password%3Ds3cret",
    "postgresql:///db?options=-c password=s3cret",
    "postgresql:host=h password=s3cret dbname=db",
    "postgresql:host=h password = 'it is s3cret' dbname=db",
    "--memory=postgresql://me:s3cret@host/db",
    "https://me:s3cret@example.org/photos.zip",
    "https://example.org/photos.zip?token=s3cret",
    "s3://me:s3cret@bucket/photos",
    "https://b.s3.amazonaws.com/a.jpg?X-Amz-Signature=s3cret&X-Amz-Date=1",
    "https://a.blob.core.windows.net/c/a.jpg?sv=1&sig=s3cret",
]


@pytest.mark.parametrize("text", TELLTALE)
def test_a_secret_is_hidden(text: str) -> None:
    assert SECRET not in redacted(text)
    assert SECRET not in redacted(f"  {text}") or " s3cret" in text
    assert redacted(redacted(text)) == redacted(text)


@pytest.mark.parametrize("text", [text for text in TELLTALE if " " not in text])
def test_a_secret_is_hidden_within_a_sentence(text: str) -> None:
    assert SECRET not in redacted(f"The folder '{text}' does not exist (see {text}).")


@pytest.mark.parametrize(
    "text",
    [
        "photos/train",
        "postgresql://me@host/db",
        "postgresql://host:5432/db",
        "postgresql:///db?host=/run/postgresql&passfile=/home/me/.pgpass",
        "a memory of 8 classes: 5 % false alarms, seed=3",
        "C:/photos/a:b.jpg",
        "inkling fit photos --memory m.ink --encoder openai/clip-vit-base-patch32",
        "The class 'password' has 3 images.",
        "hf_transfer is not installed",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redacted(text) == text


def test_the_rest_of_a_url_stays_readable() -> None:
    assert redacted("postgresql://me:s3cret@host:5432/db?a=1") == "postgresql://me:***@host:5432/db?a=1"
    assert redacted("no server at postgresql://me:s3cret@host/db.") == "no server at postgresql://me:***@host/db."


def test_tokens_of_the_hub_are_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    assert redacted("401 for hf_AbCdEfGhIjKlMnOpQrStUv") == "401 for hf_***"
    assert redacted("Authorization: Bearer abcdefgh.ijkl") == "Authorization: Bearer ***"
    monkeypatch.setenv("HF_TOKEN", "of-another-form")
    assert redacted("refused: of-another-form") == "refused: ***"
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of/an+object+store")
    assert redacted("refused: of/an+object+store") == "refused: ***"
    monkeypatch.setenv("HF_TOKEN", "")
    assert redacted("abc") == "abc"


@given(password=st.text(st.characters(exclude_categories=["Cs"]), min_size=1), user=st.from_regex(r"[a-z]{1,5}"))
def test_whatever_the_driver_takes_for_the_password_is_hidden(password: str, user: str) -> None:
    telltale = f"s3cret{quote(password, safe='')}s3cret"
    for url in (
        f"postgresql://{quote(user, safe='')}:{telltale}@host/db",
        f"postgresql://host/db?user=x&password={telltale}&sslmode=prefer",
    ):
        parsed = make_url(url)
        assert SECRET in str(parsed.password or parsed.query["password"])
        assert SECRET not in redacted(url)
