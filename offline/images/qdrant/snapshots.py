"""Snapshots of collections: tar files of settings and shard in the snapshots directory, each with its SHA-256 beside it."""

import datetime
import hashlib
import shutil
import tempfile
import urllib.parse
import urllib.request
from pathlib import Path

from collection import new_shard_name
from errors import ApiError, bad_input, not_found
from files import read_json, run
from storage import Storage


class Snapshots:
    def __init__(self, root: Path, storage: Storage):
        self._root = root
        self._storage = storage
        root.mkdir(parents=True, exist_ok=True)

    def directory(self, name: str) -> Path:
        """A collection's own, under its real name."""
        if self._storage.exists(name):
            name = self._storage.find(name).directory.name
        return self._root / name

    def create(self, name: str) -> dict:
        with self._storage.use(name) as collection:
            now = datetime.datetime.now(datetime.timezone.utc)
            directory = self.directory(name)
            directory.mkdir(exist_ok=True)
            path = directory / f"{directory.name}-{self._storage.peer_id}-{now:%Y-%m-%d-%H-%M-%S}.snapshot"
            # Qdrant's own temporary names are longer by this, and a file's name has 255 bytes.
            if len(f"{path.name}-temp-XXXXXX".encode()) > 255:
                raise ApiError(500, f"Service internal error: failed to create temporary snapshot directory ./storage/tmp/{path.name}-temp-XXXX: File name too long (os error 36)")
            partial = path.with_suffix(".tmp")
            collection.pack(partial)
            self._checksum_file(path).write_text(sha256(partial))
            partial.rename(path)
            return self._describe(path)

    def list(self, name: str) -> list[dict]:
        self._storage.find(name)
        return [self._describe(path) for path in sorted(self.directory(name).glob("*.snapshot"))]

    def find(self, name: str, file: str) -> Path:
        path = self.directory(name) / file
        if "/" in file or not path.is_file():
            raise not_found(f"Snapshot {file} not found")
        return path

    def delete(self, name: str, file: str) -> bool:
        path = self.find(name, file)
        path.unlink()
        self._checksum_file(path).unlink(missing_ok=True)
        return True

    def recover(self, name: str, body: dict) -> bool:
        """From a file of this server or from a URL."""
        location = urllib.parse.urlparse(body["location"])
        if location.scheme == "file":
            path = Path(urllib.parse.unquote(location.path))
            if not path.is_file():
                raise bad_input(f"Snapshot file {path} does not exist")
            return self.restore(name, path, body.get("checksum"))
        if location.scheme not in ("http", "https"):
            raise bad_input(f"URL {body['location']} is not supported")
        with tempfile.NamedTemporaryFile(dir=self._root, prefix=".download-") as file:
            key = body.get("api_key")
            request = urllib.request.Request(body["location"], headers={"api-key": key} if key else {})
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    shutil.copyfileobj(answer, file, 1 << 20)
            except OSError as error:
                raise bad_input(f"Failed to download snapshot from {body['location']}: {error}") from error
            file.flush()
            return self.restore(name, Path(file.name), body.get("checksum"))

    def restore(self, name: str, path: Path, checksum: str | None) -> bool:
        """Unpacked beside the data, opened, and only then put in its place."""
        if checksum and sha256(path) != checksum.lower():
            # In this order in 1.19.0: what was sent is called expected.
            raise ApiError(400, f"Checksum mismatch: expected {sha256(path)}, actual {checksum}")
        with path.open("rb") as file:
            if file.read(263)[257:262] != b"ustar":
                raise ApiError(500, "Service internal error: File IO error: Malformed tar archive, reached unknown entry")
        work = Path(tempfile.mkdtemp(dir=self._storage.scratch, prefix="restore-"))
        try:
            run("tar", "--no-same-owner", "-xf", path, "-C", work)
            record = read_json(work / "config.json")
            unpacked = work / Path(record["shard"]).name
            self._storage.adopt(name, {**record, "shard": new_shard_name()}, unpacked)
        except (OSError, ValueError, KeyError) as error:
            raise ApiError(500, f"Service internal error: cannot restore the snapshot: {error}") from error
        finally:
            shutil.rmtree(work, ignore_errors=True)
        return True

    @staticmethod
    def _checksum_file(path: Path) -> Path:
        return path.with_name(path.name + ".checksum")

    def _describe(self, path: Path) -> dict:
        status, recorded = path.stat(), self._checksum_file(path)
        created = datetime.datetime.fromtimestamp(status.st_mtime, datetime.timezone.utc)
        return {
            "name": path.name,
            "creation_time": f"{created:%Y-%m-%dT%H:%M:%S}",
            "size": status.st_size,
            "checksum": recorded.read_text() if recorded.exists() else None,
        }


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
