"""A server's pool on hosts that Dask offers, everything over TLS; and what is wrong is said."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests import FUNCTIONS
from tests.support.certificates import Authority
from tests.support.dask_cluster import Cluster, cluster
from tests.support.served import Served, served
from tests.support.waiting import eventually

pytestmark = pytest.mark.soak


class Deck:
    """A server and a Dask cluster, with certificates of one authority."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = Authority(folder / "certificates")
        self._dask = self.authority.sign("dask")
        self._server = self.authority.sign("server")

    @property
    def towards_dask(self) -> dict[str, str]:
        files = {"authority": self.authority.file, "certificate": self._dask.certificate}
        return {name: str(path) for name, path in {**files, "key": self._dask.key}.items()}

    @contextmanager
    def dask(self, *workers: str) -> Iterator[Cluster]:
        tls = ("--protocol", "tls", "--tls-ca-file", str(self.authority.file))
        pair = ("--tls-cert", str(self._dask.certificate), "--tls-key", str(self._dask.key))
        path = os.pathsep.join([str(FUNCTIONS), os.environ.get("PYTHONPATH", "")])
        with cluster(
            self.folder, workers, environment={"PYTHONPATH": path}, tls=(*tls, *pair)
        ) as found:
            yield found

    @contextmanager
    def served(self, **hosts: Any) -> Iterator[Served]:
        hosted = {"engine": "dask", **hosts}
        pools = {
            "io": {"kind": "thread", "size": 1},
            "big": {"kind": "process", "size": 1, "spare": 0, "hosts": hosted},
        }
        door = {
            "listen": "127.0.0.1:0",
            "certificate": self._server.certificate,
            "key": self._server.key,
            "authority": self.authority.file,
            "lease_seconds": 6.0,
            "renew_seconds": 0.4,
            "margin_seconds": 2.0,
        }
        with served(self.folder / "data", pools=pools, hosts=door) as found:
            yield found


def pool_of(server: Served) -> dict[str, Any]:
    found: dict[str, Any] = server.http.get("/api/v1/pools/big").json()
    return found


def attached(server: Served) -> list[str]:
    return [each["name"] for each in pool_of(server)["hosts"] if each["state"] == "attached"]


def test_tasks_run_on_hosts_of_dask_over_tls_and_on_others_after_a_restart(
    tmp_path: Path,
) -> None:
    deck = Deck(tmp_path)
    with deck.dask("host-a") as dask:
        for value in ("before", "after"):
            with deck.served(scheduler=dask.address, **deck.towards_dask) as server:
                eventually(lambda: attached(server) == ["host-a"], "the host is there")

                task = server.submit("echo", value, pool="big", wait=60).json()

                assert (task["state"], task["result"]) == ("succeeded", value)
                assert pool_of(server)["engine"] is None


def test_the_number_of_hosts_is_changed_while_the_server_runs(tmp_path: Path) -> None:
    deck = Deck(tmp_path)
    with ExitStack() as stack:
        dask = stack.enter_context(deck.dask("host-a", "host-b"))
        settings = {"scheduler": dask.address, "count": 1, **deck.towards_dask}
        server = stack.enter_context(deck.served(**settings))
        eventually(lambda: len(attached(server)) == 1, "one host is there")

        changed = server.http.patch("/api/v1/pools/big", json={"hosts": 2}).json()

        assert (changed["size"], changed["wanted_hosts"]) == (1, 2)
        eventually(lambda: attached(server) == ["host-a", "host-b"], "both are there")
        server.http.post("/pools/big/hosts", data={"hosts": "1"})
        eventually(lambda: len(attached(server)) == 1, "one is let go")


def test_what_is_in_the_way_of_hosts_stands_on_their_pool(tmp_path: Path) -> None:
    deck = Deck(tmp_path)
    with ExitStack() as stack:
        dask = stack.enter_context(deck.dask())
        server = stack.enter_context(deck.served(scheduler=dask.address))

        eventually(lambda: pool_of(server)["engine"] is not None, "it is said")

        assert "needs certificates" in pool_of(server)["engine"]
        assert server.submit("echo", 1, pool="io").json()["state"] == "succeeded"
