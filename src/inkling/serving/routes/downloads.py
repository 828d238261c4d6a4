"""Route of what was learned, as files to take along: the memory itself, or its labelled pictures."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path, PurePath
from zipfile import ZIP_STORED, ZipFile

from fastapi import APIRouter
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from inkling.errors import ConflictError, InputError
from inkling.exporting.labelled_images import export_images
from inkling.memory.backup import backup
from inkling.serving.schemas import Download
from inkling.serving.service import Service
from inkling.serving.shared import Share, WritersOnly
from inkling.wording import counted

router = APIRouter(prefix="/v1", tags=["downloads"])

LEFT_OUT = "left-out.txt"
_FILE = {"type": "string", "contentMediaType": "application/octet-stream"}


@router.post(
    "/downloads",
    dependencies=[WritersOnly],
    response_class=Response,
    responses={
        200: {
            "description": "A file.",
            "content": {kind: {"schema": _FILE} for kind in ("application/octet-stream", "application/zip")},
        }
    },
)
async def download(share: Share, wanted: Download) -> Response:
    """The memory as it is now, or its labelled pictures as a zip. For those who may write.

    Pictures are the small ones that the memory keeps; with `originals` those files of the memory's own images that are
    where they were when they were learned from, and have not changed since.
    """
    service = share.service
    if service.begins:
        raise ConflictError("There is nothing to download yet.", remedy="Add two classes with pictures.")
    folder = Path(tempfile.mkdtemp(prefix="inkling-download-"))
    try:
        file = await share.studying(lambda: _written(service, wanted, folder))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    kind = "application/zip" if file.suffix == ".zip" else "application/octet-stream"
    return FileResponse(
        file,
        media_type=kind,
        filename=file.name,
        headers={"Cache-Control": "no-store"},
        background=BackgroundTask(shutil.rmtree, folder, ignore_errors=True),
    )


def _written(service: Service, wanted: Download, folder: Path) -> Path:
    name = f"{service.name}.ink" if wanted.what == "memory" else f"{service.name}-{wanted.layout}.zip"
    target = folder / name
    if wanted.what == "memory":
        backup(service.memory, target)
        return target
    try:
        done = export_images(service.memory, folder / "pictures", layout=wanted.layout, thumbnails=not wanted.originals)
    except InputError as error:
        raise InputError(error.message, remedy=_way_on(wanted)) from error
    with ZipFile(target, "w", ZIP_STORED) as packed:
        for one in sorted(path for path in done.folder.rglob("*") if path.is_file()):
            packed.write(one, one.relative_to(done.folder).as_posix())
        if done.skipped:
            lines = [f"{PurePath(one.path).name}: {one.reason}\n" for one in done.skipped]
            packed.writestr(LEFT_OUT, f"{counted(len(lines), 'picture')} left out.\n{''.join(lines)}")
    return target


def _way_on(wanted: Download) -> str:
    if wanted.originals:
        return "The files are not there any more, or never were. Download the small pictures instead."
    return "Choose a table (csv or imagefolder) in place of folders, or download the memory."
