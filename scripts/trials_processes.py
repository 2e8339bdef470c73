# SPDX-License-Identifier: MIT
"""The processes that scripts/trials runs side by side: what they cost, and their end."""
import ctypes
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

TICKS = os.sysconf("SC_CLK_TCK")
PR_SET_CHILD_SUBREAPER = 36
SECONDS_TO_END = 5


def adopt_orphans():
    """What a process of ours leaves behind becomes our child, and can't get away."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def all_processes():
    """Of each process its parent, and the CPU seconds of it and the children it waited for."""
    processes = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            stat = pathlib.Path("/proc", pid, "stat").read_text(errors="replace")
        except OSError:
            continue  # it has ended
        words = stat.rpartition(")")[2].split()
        processes[int(pid)] = (int(words[1]), sum(map(int, words[11:15])) / TICKS)
    return processes


def descendants(root, processes):
    found = [root]
    for pid in found:
        found += [child for child, (parent, _) in processes.items() if parent == pid]
    return found[1:]


class Running:
    """One process and what it starts, with a folder of its own that goes with it."""

    def __init__(self, make_command):
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="trials-"))
        self.code = None
        self.seconds = 0.0
        self.looked = self.asked = None
        command, env = make_command(self.scratch)
        with open(self.scratch / "log", "wb") as log:
            self.process = subprocess.Popen(
                [*map(str, command)], env=env, cwd=self.scratch, stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True)

    def log(self):
        return (self.scratch / "log").read_text(errors="replace")

    def wait(self):
        """Whether it has ended; its exit code is negative for a signal."""
        pid, status, usage = os.wait4(self.process.pid, os.WNOHANG)
        if pid != 0:
            self.code = self.process.returncode = os.waitstatus_to_exitcode(status)
            self.seconds = max(self.seconds, usage.ru_utime + usage.ru_stime)
        return pid != 0

    def keep_to(self, seconds):
        """Asks it to end when it has used its time, once; kills it when it doesn't."""
        now = time.monotonic()
        if self.looked is None or now - self.looked >= 0.5:
            self.looked = now
            processes = all_processes()
            self.seconds = sum(processes[pid][1] for pid in [
                self.process.pid, *descendants(self.process.pid, processes)] if pid in processes)
        if self.asked is not None and now - self.asked > SECONDS_TO_END:
            self.process.kill()
        elif self.asked is None and self.seconds >= seconds:
            self.asked = now
            self.process.send_signal(signal.SIGINT)

    def close(self):
        shutil.rmtree(self.scratch, ignore_errors=True)


def kill_orphans(running):
    """What processes that have ended left behind, until there is none."""
    ours = {each.process.pid for each in running}
    while True:
        left = [pid for pid, (parent, _) in all_processes().items()
                if parent == os.getpid() and pid not in ours]
        if not left:
            return
        for pid in left:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def end_all(running):
    """As they end by themselves, if they do so in time."""
    for each in running:
        if each.code is None:
            each.process.send_signal(signal.SIGINT)
    until = time.monotonic() + SECONDS_TO_END
    waiting = [each for each in running if each.code is None]
    while waiting and time.monotonic() < until:
        waiting = [each for each in waiting if not each.wait()]
        time.sleep(0.02)
    for each in waiting:
        each.process.kill()
        each.process.wait()
    kill_orphans([])
    for each in running:
        each.close()
