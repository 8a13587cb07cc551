"""All collections and aliases of a storage directory.

    <storage>/collections/<name>/    see collection.py
    <storage>/aliases/data.json      alias -> collection
    <storage>/raft_state.json        this server's peer id
    <storage>/tmp/                   restores under way; emptied at each start
"""

import contextlib
import secrets
import shutil
import threading
from pathlib import Path

from collection import INITIALIZING, Collection
from errors import ApiError, bad_format, invalid, not_found
from files import read_json, write_json

_FORBIDDEN = set('<>:"/\\|?*\0\x1f')


def check_name(name: str) -> str:
    if not 1 <= len(name) <= 255:
        raise invalid(f'in path parameters: [collection_name: value "{name}" invalid, must be from 1 to 255 characters]')
    for char in name:
        if char in _FORBIDDEN:
            raise invalid(f'in path parameters: [collection_name: collection name cannot contain "{char}" char]')
    if name in (".", ".."):
        raise invalid(f'in path parameters: [collection_name: collection name cannot be "{name}"]')
    return name


class Storage:
    def __init__(self, root: Path):
        self._root = root / "collections"
        self._aliases_file = root / "aliases" / "data.json"
        self.scratch = root / "tmp"
        shutil.rmtree(self.scratch, ignore_errors=True)
        for directory in (self._root, self._aliases_file.parent, self.scratch):
            directory.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._aliases: dict[str, str] = read_json(self._aliases_file) if self._aliases_file.exists() else {}
        self._collections = {directory.name: Collection.load(directory) for directory in self._swept()}
        self.peer_id = self._peer(root / "raft_state.json")
        # Node-wide, and in no collection's snapshot.
        self._quotas_file = root / "quota.json"

    def _swept(self) -> list[Path]:
        """The directories of collections; those whose creation or deletion was cut short are removed."""
        for directory in list(self._root.iterdir()):
            if not (directory / "config.json").exists():
                shutil.rmtree(directory)
        return sorted(self._root.iterdir())

    @staticmethod
    def _peer(path: Path) -> int:
        if not path.exists():
            write_json(path, {"peer_id": secrets.randbits(53)})
        return read_json(path)["peer_id"]

    def quotas(self) -> dict:
        config = read_json(self._quotas_file) if self._quotas_file.exists() else {"enabled": False}
        disk = shutil.disk_usage(self._root)
        return {"config": config, "usage": {"resident_memory_percent": None, "disk_usage_percent": disk.used * 100 // disk.total}}

    def set_quotas(self, config: dict) -> bool:
        """Kept and told; nothing is refused for it here."""
        write_json(self._quotas_file, {"enabled": False, **config})
        return True

    def names(self) -> list[str]:
        return sorted(self._collections)

    def exists(self, name: str) -> bool:
        return self._aliases.get(name, name) in self._collections

    def find(self, name: str) -> Collection:
        """By its name or an alias."""
        found = self._collections.get(self._aliases.get(name, name))
        if found is None:
            raise not_found(f"Collection `{name}` doesn't exist!")
        return found

    @contextlib.contextmanager
    def use(self, name: str):
        """The collection, for one caller at a time."""
        while True:
            found = self.find(name)
            with found.lock:
                if self.find(name) is found:
                    if found.dirty:
                        raise ApiError(500, f"Service internal error: the local shard of collection `{name}` is dirty: a restore of it did not end")
                    yield found
                    return

    def create(self, name: str, request: dict) -> bool:
        with self._lock:
            check_name(name)
            if name in self._collections or name in self._aliases:
                kind = "Collection" if name in self._collections else "Alias"
                raise ApiError(409, f"Wrong input: {kind} `{name}` already exists!")
            try:
                self._collections[name] = Collection.create(self._root / name, request)
            except Exception:
                shutil.rmtree(self._root / name, ignore_errors=True)
                raise
            return True

    def delete(self, name: str) -> bool:
        """Its aliases go with it. Once the settings are gone the collection is, also after a crash."""
        with self._lock:
            name = self._aliases.get(name, name)
            if name not in self._collections:
                return False
            with self._collections[name].lock:
                gone = self._collections.pop(name)
                self._save_aliases({alias: target for alias, target in self._aliases.items() if target != name})
                gone.shard.close()
                (gone.directory / "config.json").unlink()
                shutil.rmtree(gone.directory)
            return True

    def adopt(self, name: str, record: dict, unpacked: Path) -> None:
        """Makes unpacked data the collection `name`, new or instead of what it had."""
        with self._lock:
            known = self._collections.get(self._aliases.get(name, name))
            directory = known.directory if known else self._root / check_name(name)
            directory.mkdir(exist_ok=True)
            unpacked.rename(directory / record["shard"])
            (directory / INITIALIZING).touch()
            try:
                if known:
                    with known.lock:
                        known.replace(record, directory / record["shard"])
                        known.initialized()
                else:
                    write_json(directory / "config.json", record)
                    self._collections[name] = Collection.load(directory)
                    self._collections[name].initialized()
            except Exception:
                if known and not known.dirty:
                    known.initialized()
                shutil.rmtree(directory / record["shard"] if known else directory, ignore_errors=True)
                raise

    def aliases(self, name: str | None = None) -> list[dict]:
        target = None if name is None else self.find(name).directory.name
        return [
            {"alias_name": alias, "collection_name": collection}
            for alias, collection in sorted(self._aliases.items())
            if target in (None, collection)
        ]

    def change_aliases(self, actions: list[dict]) -> bool:
        """All actions or none."""
        with self._lock:
            aliases = dict(self._aliases)
            for action in actions:
                self._change_alias(aliases, action)
            self._save_aliases(aliases)
            return True

    def _change_alias(self, aliases: dict[str, str], action: dict) -> None:
        if "create_alias" in action:
            wanted = action["create_alias"]
            if wanted["collection_name"] not in self._collections:
                raise not_found(f"Collection `{wanted['collection_name']}` doesn't exist!")
            if wanted["alias_name"] in self._collections:
                raise ApiError(409, f"Wrong input: Collection `{wanted['alias_name']}` already exists!")
            aliases[check_name(wanted["alias_name"])] = wanted["collection_name"]
        elif "delete_alias" in action:
            aliases.pop(action["delete_alias"]["alias_name"], None)
        elif "rename_alias" in action:
            old = action["rename_alias"]["old_alias_name"]
            if old not in aliases:
                raise not_found(f"Alias `{old}` does not exists!")
            aliases[check_name(action["rename_alias"]["new_alias_name"])] = aliases.pop(old)
        else:
            raise bad_format("data did not match any variant of untagged enum AliasOperations")

    def _save_aliases(self, aliases: dict[str, str]) -> None:
        if aliases != self._aliases:
            write_json(self._aliases_file, aliases)
            self._aliases = aliases

    def close(self) -> None:
        for collection in self._collections.values():
            with collection.lock:
                collection.close()
