"""What belongs to a machine and not to a process: its clock, and the disk under the data folder.

The clock is libfaketime's, read from a file by every process that runs with `environment()`; waiting (the monotonic clock) is
never touched. The disk is a small tmpfs, mounted by root.
"""

import email.utils
import errno
import os
import pathlib
import shutil
import subprocess
import time

from installation import http

FAKETIME = "apt-get install --no-install-recommends libfaketime   (or let ./tests/run do it)"
CLOCK_SLACK = 3.0  # the Date of an answer is cut to seconds, and libfaketime looks at its file each second


class MachineError(RuntimeError):
    """Something of the machine cannot be broken here; the text says what helps."""


class Clock:
    """The clock of the machine under test."""

    def __init__(self, folder: pathlib.Path, number: int):
        libraries = sorted(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
        if not libraries:
            raise MachineError(f"libfaketime is not installed, and without it no clock can be stepped: {FAKETIME}")
        self.library, self.file = libraries[0], folder / f"clock-{number}"
        self.step(0)

    def environment(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(self.library), "FAKETIME_TIMESTAMP_FILE": str(self.file), "FAKETIME_CACHE_DURATION": "1",
                "DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}

    def step(self, seconds: int) -> None:
        """Puts the clock so far ahead of the real one (or behind it)."""
        fresh = self.file.with_suffix(".new")
        fresh.write_text(f"{seconds:+d}\n")
        os.replace(fresh, self.file)

    @staticmethod
    def shows(address: str, seconds: int) -> bool:
        """Whether a process lives by that clock: the `Date` of its answers says so."""
        try:
            date = http("GET", f"{address}/healthz", timeout=3).headers["date"]
        except OSError:
            return False
        ahead = email.utils.parsedate_to_datetime(date).timestamp() - time.time()
        return abs(ahead - seconds) <= CLOCK_SLACK


class Disk:
    """A small file system under the data folder."""

    def __init__(self, folder: pathlib.Path, mib: int):
        self.folder, self.filler = folder, folder / "filler"
        folder.mkdir(parents=True)
        sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
        owner = f"uid={os.getuid()},gid={os.getgid()},mode=0700"
        done = subprocess.run([*sudo, "mount", "-t", "tmpfs", "-o", f"size={mib}m,{owner}", "loa-faults", str(folder)], capture_output=True, text=True)
        if done.returncode != 0:
            raise MachineError(f"cannot mount a tmpfs on {folder} ({done.stderr.strip()}): a full disk needs root (or sudo without a "
                               "password) and, in a container, CAP_SYS_ADMIN; --only KIND,… names the faults to do without it")
        self.sudo = sudo

    def fill(self) -> bool:
        """Takes all there is. Whether the disk is full then."""
        with self.filler.open("ab") as file:
            space = os.statvfs(self.folder)
            while space.f_bavail:
                try:
                    os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, space.f_bavail * space.f_frsize)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                space = os.statvfs(self.folder)
        try:
            (self.folder / "probe").write_bytes(b"x" * 4096)
            (self.folder / "probe").unlink()
            return False
        except OSError as error:
            (self.folder / "probe").unlink(missing_ok=True)
            return error.errno == errno.ENOSPC

    def free(self) -> None:
        self.filler.unlink(missing_ok=True)

    def close(self, keep: pathlib.Path) -> None:
        """Unmounts; what was on it is copied away first."""
        self.free()
        shutil.copytree(self.folder, keep, dirs_exist_ok=True)
        subprocess.run([*self.sudo, "umount", "--lazy", str(self.folder)], check=False, capture_output=True)
