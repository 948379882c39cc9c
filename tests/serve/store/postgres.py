"""A PostgreSQL server for the tests, in a temporary folder."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from tests.serve.store.helpers import contents
from tests.waiting import PATIENCE, no_error, until


class Cluster:
    """A PostgreSQL server of our own, on a socket in a temporary folder."""

    def __init__(self, programs: Path) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="cs-pg-", dir="/tmp"))  # sockets: 107 bytes
        self.user = {}
        if os.geteuid() == 0:  # initdb refuses root
            shutil.chown(self.home, "postgres", "postgres")
            self.user = {"user": "postgres", "group": "postgres", "extra_groups": []}
        self.data, self.names = self.home / "data", iter(range(10**6))
        log = (self.home / "log").open("wb")
        run = {"cwd": self.home, "stdout": log, "stderr": log, **self.user}
        init = [programs / "initdb", "-D", self.data, "-A", "trust", "-U", "cs", "-E", "UTF8"]
        subprocess.run([*init, "--no-sync", "--locale=C"], check=True, **run)
        quick = ["-c", "listen_addresses=", "-c", "fsync=off", "-c", "full_page_writes=off"]
        self.process = subprocess.Popen(
            [programs / "postgres", "-D", self.data, "-k", self.home, *quick], **run
        )
        log.close()
        self.url = f"postgresql+psycopg://cs@/postgres?host={self.home}"
        self.admin = create_engine(self.url, isolation_level="AUTOCOMMIT")
        answers = no_error(lambda: self.sql("SELECT 1"), SQLAlchemyError)
        until(lambda: self.process.poll() is not None or answers(), "PostgreSQL to answer")
        if self.process.poll() is not None:
            raise RuntimeError((self.home / "log").read_text())

    def sql(self, statement):
        with self.admin.connect() as connection:
            connection.execute(text(statement))

    def database(self):
        name = f"t{next(self.names)}"
        self.sql(f"CREATE SCHEMA {name}")
        return f"{self.url}&options=-csearch_path%3D{name}"

    def contents(self):
        self.sql("CHECKPOINT")
        return contents(self.data)

    def close(self):
        self.admin.dispose()
        self.process.send_signal(signal.SIGQUIT)  # without a last checkpoint
        self.process.wait(PATIENCE)
        shutil.rmtree(self.home)
