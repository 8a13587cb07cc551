"""Receiving a snapshot: streamed to the snapshots directory, where it stays, as Qdrant keeps it."""

import uuid
from pathlib import Path

from aiohttp import web

from errors import ApiError, bad_format, invalid
from snapshots import Snapshots
from storage import check_name


async def upload_snapshot(request: web.Request, snapshots: Snapshots) -> Path:
    directory = snapshots.directory(check_name(request.match_info["name"]))
    checksum = request.query.get("checksum")
    if not request.content_type.startswith("multipart/"):
        raise ApiError(415, "Parsed Content-Type did not have 'multipart' top-level media type")
    if checksum is not None and len(checksum) != 64:
        raise invalid("in query parameters: [checksum: Validation error: invalid_sha256_hash]")
    async for part in await request.multipart():
        if part.name == "snapshot":
            directory.mkdir(exist_ok=True)
            path = directory / (Path(part.filename or uuid.uuid4().hex).name or uuid.uuid4().hex)
            partial = path.with_name(f".upload-{uuid.uuid4().hex}")
            try:
                with partial.open("wb") as file:
                    while chunk := await part.read_chunk(1 << 20):
                        file.write(chunk)
                partial.rename(path)
            finally:
                partial.unlink(missing_ok=True)
            return path
    raise bad_format("the field `snapshot` is missing")
