"""A Slurm cluster of two nodes on this machine, on loopback: munged, slurmctld and two slurmd.

It needs Debian's packages slurm-wlm and munge, and root, because /etc/hosts must name the nodes.
"""

import os
import re
import shutil
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import process_trees

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "scancel")
NODES = ("cms1", "cms2")
_CONF = """
ClusterName=cmsbert
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmdPort=0
AuthType=auth/munge
CryptoType=crypto/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=60
SlurmUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
ReturnToService=2
SlurmdTimeout=10
InactiveLimit=0
KillWait=30
MinJobAge=300
JobRequeue=1
SchedulerParameters=bf_interval=2,sched_interval=2
{nodes}
PartitionName=main Nodes={names} Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> str | None:
    """Return why no cluster can be started here; None if one can."""
    absent = [name for name in PROGRAMS if shutil.which(name, path=_path()) is None]
    if absent:
        return f"{absent[0]} is missing (Debian's packages slurm-wlm and munge)"
    return None if os.geteuid() == 0 else "only root may name the nodes in /etc/hosts"


class SlurmCluster:
    """Starts the cluster in ``folder``; a context manager. ``environment`` reaches it."""

    def __init__(self, folder: Path, cpus: int = 1):
        self.folder, self._cpus = folder, cpus
        self.environment = {"SLURM_CONF": str(folder / "slurm.conf"), "PATH": _path()}
        self._started: dict[str, subprocess.Popen] = {}

    def __enter__(self) -> "SlurmCluster":
        for name in ("state", *NODES):
            (self.folder / name).mkdir(parents=True)
        _name_nodes()
        ports = dict(zip(NODES, _free_ports(), strict=True))
        nodes = "\n".join(
            f"NodeName={name} NodeHostname={socket.gethostname()} NodeAddr=127.0.0.1 Port={port} "
            f"CPUs={self._cpus} State=UNKNOWN"
            for name, port in ports.items()
        )
        conf = _CONF.format(
            host=socket.gethostname(), port=_free_ports()[0], folder=self.folder, nodes=nodes,
            names=",".join(NODES),
        )  # fmt: skip
        (self.folder / "slurm.conf").write_text(conf)
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        self.folder.chmod(0o755)
        self._start(
            "munged", "--foreground", "--force", "--key-file", str(key),
            "--socket", str(self.folder / "munge.socket"),
            "--pid-file", str(self.folder / "munged.pid"),
            "--log-file", str(self.folder / "munged.log"),
            "--seed-file", str(self.folder / "munged.seed"),
        )  # fmt: skip
        _wait(lambda: (self.folder / "munge.socket").exists(), "munged")
        self._start("slurmctld", "-D")
        for name in NODES:
            self.start_node(name)
        self.wait_until_idle()
        return self

    def __exit__(self, *exception: object) -> None:
        with suppress(subprocess.CalledProcessError):
            self.typed("scancel", "--user", "root")
        for process in reversed(list(self._started.values())):
            process.terminate()
        for process in self._started.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()

    def typed(self, *words: str) -> str:
        """Return what a command of Slurm prints."""
        return subprocess.run(
            words, env=os.environ | self.environment, check=True, capture_output=True, text=True
        ).stdout

    def wait_until_idle(self) -> None:
        def idle() -> bool:
            return self.typed("sinfo", "-h", "-N", "-o", "%T").split() == ["idle"] * len(NODES)

        _wait(idle, "the nodes", seconds=90)

    def let_time_run_out(self, job: str) -> None:
        """Shorten a running job's limit so that Slurm signals it soon; restore it afterwards."""
        elapsed = self.typed("squeue", "-h", "-j", job, "-o", "%M").strip().split(":")
        self.typed("scontrol", "update", f"JobId={job}", f"TimeLimit={int(elapsed[-2]) + 2}")
        before = self.restarts(job)
        _wait(lambda: self.restarts(job) > before, "the job's next try", seconds=180)
        self.typed("scontrol", "update", f"JobId={job}", "TimeLimit=60")

    def restarts(self, job: str) -> int:
        """Return how often Slurm has queued a job again."""
        return int(re.search(r"Restarts=(\d+)", self.typed("scontrol", "show", "job", job))[1])

    def start_node(self, name: str) -> None:
        self._start("slurmd", "-D", "-N", name, called=name)

    def lose_node(self, name: str) -> None:
        """Kill a node's slurmd and everything that it started, as if its machine lost power."""
        roots = [self._started.pop(name).pid]
        for pid, words in process_trees.processes():
            if words.startswith("slurmstepd") and self._runs_on(name, pid):
                roots.append(pid)
        process_trees.kill(roots)

    def _runs_on(self, node: str, step: int) -> bool:
        """Return whether a slurmstepd is this node's, by the environment of what it started."""
        conf = self.environment["SLURM_CONF"]
        wanted = {f"SLURMD_NODENAME={node}".encode(), f"SLURM_CONF={conf}".encode()}
        for child in process_trees.descendants(step):
            with suppress(OSError):
                if wanted <= set(Path(f"/proc/{child}/environ").read_bytes().split(b"\0")):
                    return True
        return False

    def _start(self, *words: str, called: str = "") -> None:
        log = open(self.folder / f"{called or words[0]}.out", "wb")  # noqa: SIM115
        self._started[called or words[0]] = subprocess.Popen(
            words, env=os.environ | self.environment, stdout=log, stderr=subprocess.STDOUT
        )


def _path() -> str:
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


def _name_nodes() -> None:
    """Name the nodes in /etc/hosts, where torch's rendezvous looks for them."""
    hosts = Path("/etc/hosts")
    text = hosts.read_text()
    new = "".join(f"127.0.0.1 {n}\n" for n in NODES if n not in text.split())
    if new:
        hosts.write_text(text.rstrip("\n") + "\n" + new)


def _free_ports() -> list[int]:
    sockets = [socket.socket() for _ in NODES]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _wait(ready, what: str, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while True:
        with suppress(subprocess.CalledProcessError):
            if ready():
                return
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not start within {seconds:g} s")
        time.sleep(0.2)
