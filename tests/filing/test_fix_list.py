"""Lists of corrections as spreadsheets and people hand them back."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from inkling.auditing.findings import Finding
from inkling.auditing.fix_list import write_fix_list
from inkling.errors import InputError
from inkling.filing.fix_list import Fix, read_fix_list

ROWS = (("path", "action", "label"), ("a/Bär, 1.png", "Relabel", "Kühe"), ("b/2.png", "DROP", ""))
EXPECTED = (Fix(2, "a/Bär, 1.png", "relabel", "Kühe"), Fix(3, "b/2.png", "drop"))


def read(folder: Path, data: bytes | str) -> tuple[Fix, ...]:
    (folder / "fixes.csv").write_bytes(data.encode() if isinstance(data, str) else data)
    return read_fix_list(folder / "fixes.csv")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encodings_and_delimiters(tmp_path: Path, delimiter: str, encoding: str, end: str) -> None:
    text = end.join(delimiter.join(f'"{cell}"' if "," in cell else cell for cell in row) for row in ROWS)
    marks = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}
    assert read(tmp_path, marks.get(encoding, b"") + text.encode(encoding)) == EXPECTED


def test_what_an_audit_writes_is_read_again(tmp_path: Path) -> None:
    hostile = 'x/"a"\n<script>;,\u202eb.png'
    findings = (
        Finding("mislabelled", (hostile,), 'Says "no", or\nnot.', 0.9, "", ("é", "ü"), "ü"),
        Finding("unreadable", ("b.png",), "Cut short.", 1.0, ""),
    )
    write_fix_list(tmp_path / "f.csv", findings)
    assert (tmp_path / "f.csv").read_bytes().startswith(codecs.BOM_UTF8)
    assert read_fix_list(tmp_path / "f.csv") == (Fix(2, hostile, "relabel", "ü"), Fix(3, "b.png", "drop"))


def test_columns_of_their_own_in_another_order_and_blank_rows(tmp_path: Path) -> None:
    text = "note;LABEL; Action ;score;path\n;;;;\nsure;  ;keep;0,9;a.png\n\nx;car;RELABEL ;;C:\\b\\2.png\n;;;;\n"
    assert read(tmp_path, text) == (Fix(3, "a.png", "keep"), Fix(5, "C:\\b\\2.png", "relabel", "car"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("path,action,label\n", "names no image"),
        ("path,action,label\n,,\n", "names no image"),
        ("file,action\na,drop\n", "no column 'path'"),
        ("Datei;action\na;drop\n", "its columns are: datei, action"),
        ("path,label\na,b\n", "no column 'action'"),
        ("path,action\na,drop\nb,delete\n", "Row 3 .* \\(b\\) has the action 'delete'"),
        ("path,action\na,\n", "Row 2 .* has no action"),
        ("path,action\n,drop\n", "Row 2 .* names no image"),
        ("path,action,label\na,relabel,  \n", "'relabel' and no label"),
        ("path,action,label\na,relabel\n", "'relabel' and no label"),
        ('path,action\n"a"b,drop\n', "cannot be read as a CSV"),
        (b"PK\x03\x04\x00\x00", "is a workbook"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: bytes | str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(tmp_path, text)


def test_a_list_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_fix_list(tmp_path / "none.csv")
