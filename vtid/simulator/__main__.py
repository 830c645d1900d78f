"""python -m vtid.simulator world|worker"""

import argparse
import os
import sys


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m vtid.simulator", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    world = commands.add_parser("world", help="serve GitHub, Cloud Run and the deployed services")
    world.add_argument("--host", default="127.0.0.1")
    world.add_argument("--port", type=int, required=True, help="0 picks a free one")
    worker = commands.add_parser("worker", help="be a coding worker")
    worker.add_argument("--api", required=True, help="origin of the work-order API")
    # In the environment it stands in no list of processes, which everybody on a machine may read.
    worker.add_argument("--token", default=os.environ.get("VTID_API_TOKEN"), help="default: VTID_API_TOKEN")
    worker.add_argument("--simulator", required=True, help="origin of the simulated GitHub")
    worker.add_argument("--worker-id", required=True)
    worker.add_argument("--vtid", default=None, help="take only this one")
    worker.add_argument("--behaviour", default="honest")
    worker.add_argument("--once", action="store_true", help="end after one order")
    worker.add_argument("--seed", type=int, default=None)
    worker.add_argument("--workers", type=int, default=1, help="so many in this process, named ID-1, ID-2, …")
    worker.add_argument("--work-seconds", type=float, default=None)
    chosen = parser.parse_args(arguments)
    # Imported late: the world must start fast, and the worker needs another half of the packages.
    if chosen.command == "world":
        from vtid.simulator.server import serve

        serve(chosen.host, chosen.port)
        return 0
    if not chosen.token:
        parser.error("the worker needs a key: --token, or VTID_API_TOKEN")
    from vtid.simulator.worker.main import run

    return run(chosen)


if __name__ == "__main__":
    sys.exit(main())
