"""Kill processes that write to the store, again and again, and look for what was lost.

    python benchmarks/store_crash.py --kills 200 [--url postgresql+psycopg://…]

In every round two processes open the database, begin a session each and append feedback together
with the state it leads to; they tell each acknowledged key over a pipe. At a random moment, often
while the tables are still being made, both are killed with SIGKILL. Then the database is opened
again and must hold every acknowledged session and event, each once and in order, at most one that
was not acknowledged, and a state that counts exactly the stored events. Every key sent again must
be answered as repeated. Prints one JSON object; exits with 1 if anything was lost or doubled.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from coldstart.serve.store import NewEvent, SessionNotFound, Store

WRITERS = 2
LONGEST = 0.4  # seconds until the kill, at most
FRESH = 5  # rounds on one SQLite file


@dataclass
class Account:
    """What one writer was told is stored."""

    session_id: str | None = None
    keys: list[str] = field(default_factory=list)


def write(url: str, pipe: int) -> None:
    """Append feedback until killed, telling each acknowledged key; one line is one atomic write."""
    with Store.open(url) as store:
        session = store.create('{"n": 0}', artifact="crash")
        os.write(pipe, f"{session.id}\n".encode())
        for n in range(10**9):
            after = replace(session, state=json.dumps({"n": n + 1}))
            session = store.append(session.id, said(n), after, session.version).session
            os.write(pipe, f"{n}\n".encode())


def said(n: int) -> NewEvent:
    """The n-th feedback of a writer."""
    return NewEvent(str(n), "like", f"item {n}", detail="d" * (n % 3000))


def kill_round(url: str, rng: random.Random, longest: float = LONGEST) -> list[Account]:
    """Start writers, kill them at a random moment, and return what they were told."""
    children = []
    for _ in range(WRITERS):
        out, pipe = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.close(out)
                write(url, pipe)
            except BaseException:
                traceback.print_exc()
            os._exit(3)  # the parent sees who was not killed
        os.close(pipe)
        children.append((pid, out))
    time.sleep(rng.uniform(0, longest))
    for pid, _ in children:
        os.kill(pid, signal.SIGKILL)
    accounts = []
    for pid, out in children:
        _, status = os.waitpid(pid, 0)
        if not os.WIFSIGNALED(status):
            raise SystemExit("a writer ended by itself: see its error above")
        with os.fdopen(out, encoding="ascii") as lines:
            session_id, *keys = [line.strip() for line in lines] or [None]
        accounts.append(Account(session_id, [k for k in keys if k]))
    return accounts


def faults(store: Store, account: Account) -> list[str]:
    """What the store does not hold as it was acknowledged."""
    if account.session_id is None:
        return []
    try:
        session = store.load(account.session_id)
    except SessionNotFound:
        return ["an acknowledged session is lost"]
    events = store.events(account.session_id)
    stored = [e.key for e in events]
    found = []
    if lost := set(account.keys) - set(stored):
        found.append(f"{len(lost)} acknowledged events are lost")
    if len(set(stored)) != len(stored):
        found.append("an event is doubled")
    if stored != [str(n) for n in range(len(stored))] or len(stored) > len(account.keys) + 1:
        found.append("events are out of order, or were never sent")
    if json.loads(session.state)["n"] != len(stored):
        found.append("state and events disagree")
    for n in range(len(account.keys) + 1):  # the client repeats all, and one it heard nothing of
        again = store.append(session.id, said(n))
        if again.repeated != (str(n) in stored):
            found.append("a repeated key was taken for a new one, or the other way round")
    if len(store.events(account.session_id)) != max(len(stored), len(account.keys) + 1):
        found.append("repeating keys doubled an event")
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Run the rounds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200, help="rounds, two processes each")
    parser.add_argument("--url", help="an empty PostgreSQL database; default: SQLite files")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    rng, found, accounts = random.Random(args.seed), [], []
    start, longest = time.perf_counter(), LONGEST
    with tempfile.TemporaryDirectory() as folder:
        for n in range(args.kills):
            url = args.url or f"sqlite:///{Path(folder)}/{n // FRESH}.db"
            killed = kill_round(url, rng, longest)
            if all(account.session_id is None for account in killed):
                longest *= 2  # on a busy machine nobody came as far as a session
            with Store.open(url) as store:
                found += [f for account in killed for f in faults(store, account)]
            accounts += killed
    acknowledged = sum(len(a.keys) for a in accounts)
    report = {
        "database": args.url.split(":")[0] if args.url else "sqlite",
        "rounds": args.kills,
        "processes_killed": len(accounts),
        "killed_before_their_first_session": sum(a.session_id is None for a in accounts),
        "acknowledged_events": acknowledged,
        "faults": found,
        "seconds": round(time.perf_counter() - start, 1),
    }
    print(json.dumps(report, indent=1))
    return 1 if found or not acknowledged else 0


if __name__ == "__main__":
    sys.exit(main())
