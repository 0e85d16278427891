"""Machines for a test: network namespaces on one bridge, each with an address, a disk and processes of its own."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.processes import Processes
from tests.once import network_changes


def why_not() -> str | None:
    """Return why there can be no machines here; None where there can."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return "networks of their own need root and iproute2"
    name = f"fnl{os.getpid()}try"
    if subprocess.run(["ip", "netns", "add", name], check=False, capture_output=True).returncode:
        return "this machine lets nobody make network namespaces"
    _ip("netns", "del", name)
    return None


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def _free_net() -> str:
    """Return the first three numbers of a network that nobody has here, another run neither."""
    routes = subprocess.run(["ip", "route"], check=True, capture_output=True, text=True).stdout
    nets = (f"10.213.{(os.getpid() + number) % 250 + 1}" for number in range(250))
    return next(net for net in nets if f"{net}." not in routes)


def _only_given(device: str) -> None:
    """Let a device have no address of its own making: each would be a change of this machine's network."""
    _ip("link", "set", device, "addrgenmode", "none")


@dataclass
class Machine:
    """One machine: what it starts shares nothing with the others but the network."""

    namespace: str
    address: str
    cable: str
    processes: Processes

    def vanish(self) -> None:
        """Lose the machine as a power cut would: nobody hears of it any more, and no connection is closed."""
        _ip("link", "set", self.cable, "down")
        for name in list(self.processes.running):
            self.processes.kill(name)


@dataclass
class Machines:
    """A network whose first address is that of the test itself. A context manager."""

    folder: Path
    net: str = ""
    made: list[Machine] = field(default_factory=list)

    @property
    def here(self) -> str:
        """The address of the test's own machine."""
        return f"{self.net}.1"

    def __enter__(self) -> "Machines":
        self.bridge = f"fnl{os.getpid()}"
        with network_changes():
            self.net = _free_net()
            _ip("link", "add", self.bridge, "type", "bridge")
            _only_given(self.bridge)
            _ip("addr", "add", f"{self.here}/24", "dev", self.bridge)
            _ip("link", "set", self.bridge, "up")
        return self

    def __exit__(self, *_: object) -> None:
        for machine in self.made:
            machine.processes.stop()
            _ip("link", "del", machine.cable)
            _ip("netns", "del", machine.namespace)
        with network_changes():
            _ip("link", "del", self.bridge)

    def add(self, name: str, env: Mapping[str, str]) -> Machine:
        """Return a new machine on the network."""
        number = len(self.made) + 2
        namespace, cable, address = f"{self.bridge}n{number}", f"{self.bridge}c{number}", f"{self.net}.{number}"
        _ip("netns", "add", namespace)
        _ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", namespace)
        _only_given(cable)
        _ip("link", "set", cable, "master", self.bridge, "up")
        _ip("-n", namespace, "addr", "add", f"{address}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            _ip("-n", namespace, "link", "set", device, "up")
        disk = self.folder / name
        disk.mkdir()
        enter = ("ip", "netns", "exec", namespace)
        processes = Processes(disk, {**env, "TMPDIR": str(disk)}, prefix=enter)
        self.made.append(Machine(namespace, address, cable, processes))
        return self.made[-1]
