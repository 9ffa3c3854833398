"""An ObjectStore in a local folder: the default without a cloud account."""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from adapters.names import checked, checked_place, checked_prefix, refusal
from ledger.faults import Conflict, Missing, Transient, reject

# Half-written files live here, on the same file system as their names, and are never listed.
STAGING = ".staging"

PERMANENT = {
    errno.EACCES: "Give this user the right to read and write there.",
    errno.EPERM: "Give this user the right to write there; the file system must support hard links.",
    errno.EROFS: "The file system is read-only; choose another folder.",
    errno.ENAMETOOLONG: "Use a shorter name or folder.",
    errno.ENOTDIR: "A file stands where a folder is needed; choose another name.",
    errno.ENOTSUP: "The file system does not support hard links; choose another folder.",
}


class FolderStore:
    """Objects as files below `root`, which need not exist yet."""

    def __init__(self, root: Path | str) -> None:
        self._given = str(root)
        self._root = Path(root).expanduser().absolute()
        checked_place(self._root.as_posix())

    @property
    def url(self) -> str:
        return self._given

    def read(self, name: str) -> bytes:
        with disk_faults(name):
            return self.fetch(name).read_bytes()

    def create(self, name: str, body: bytes) -> None:
        """Durable when it returns. A hard link fails if the name exists, so that of many writers one wins."""
        target = self._path(name)
        with disk_faults(name), self._staged() as draft:
            _write_through(draft, body)
            _make_parent(target)
            os.link(draft, target)
            _sync_folder(target.parent)

    def names(self, prefix: str = "") -> list[str]:
        whole, _, _ = checked_prefix(prefix).rpartition("/")
        with disk_faults(prefix):
            return sorted(name for name in self._below(whole) if name.startswith(prefix))

    def put_file(self, name: str, path: Path) -> None:
        target = self._path(name)
        _sync(path)
        with disk_faults(name):
            _make_parent(target)
            self._move(path, target)
            _sync_folder(target.parent)

    def fetch(self, name: str) -> Path:
        path = self._path(name)
        if not path.is_file():
            raise Missing(name)
        return path

    def delete(self, name: str) -> None:
        with disk_faults(name), suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
            self._path(name).unlink()

    def table_uri(self, name: str) -> str:
        return str(self._path(name))

    def table_options(self) -> Mapping[str, str]:
        return {}

    def _path(self, name: str) -> Path:
        first, _, _ = checked(name).partition("/")
        if first == STAGING:
            raise refusal(name)
        return self._root / name

    def _below(self, folder: str) -> Iterator[str]:
        for place, folders, files in os.walk(self._root / folder, onerror=_unless_gone):
            if Path(place) == self._root and STAGING in folders:
                folders.remove(STAGING)
            yield from (Path(place, file).relative_to(self._root).as_posix() for file in files)

    @contextmanager
    def _staged(self) -> Iterator[Path]:
        draft = self._root / STAGING / uuid.uuid4().hex
        draft.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield draft
        finally:
            draft.unlink(missing_ok=True)

    def _move(self, path: Path, target: Path) -> None:
        try:
            path.replace(target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            self._move_across(path, target)

    def _move_across(self, path: Path, target: Path) -> None:
        with self._staged() as draft:
            shutil.copyfile(path, draft)
            _sync(draft)
            draft.replace(target)
        path.unlink()


@contextmanager
def disk_faults(name: str) -> Iterator[None]:
    """The one table from the system's errors to ours, for every local file of a store."""
    try:
        yield
    except FileExistsError:
        raise Conflict(name) from None
    except (FileNotFoundError, IsADirectoryError):
        raise Missing(name) from None
    except OSError as error:
        if advice := PERMANENT.get(error.errno or 0):
            raise reject(f"cannot use {name!r}: {error.strerror}", advice, "store-access") from error
        raise Transient(f"cannot use {name!r}: {error.strerror}") from error


def _make_parent(target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        # A file on the way is no conflict over `target`: reading again would not help.
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None


def _unless_gone(error: OSError) -> None:
    """A folder that vanished has no names; one that cannot be read must not look empty."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise error


def _write_through(path: Path, body: bytes) -> None:
    with path.open("xb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """A new name is durable only once its folder is; Windows has no such call and opens no folders."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
