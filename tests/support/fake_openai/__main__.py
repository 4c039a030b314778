"""Runs the fake as a process of its own and says on one line of JSON where it listens."""

import argparse
import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from tests.support.fake_openai.control import Control
from tests.support.fake_openai.server import FakeOpenAI
from tests.support.relay import Relay, to_fake


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("fake_openai", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--relay-port", type=int, default=0, help="the CONNECT relay before it")
    parser.add_argument("--ca-out", type=Path, help="where the CA's certificate is written")
    parser.add_argument(
        "--staging-key-env", action="append", default=[], help="a variable that holds a good key"
    )
    parser.add_argument("--no-record", action="store_true", help="keep nothing (for benchmarks)")
    return parser.parse_args()


async def _run(arguments: argparse.Namespace) -> None:
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    keys = [os.environ[name] for name in arguments.staging_key_env]
    fake = FakeOpenAI(keys, arguments.port)
    fake.recorder.keep = not arguments.no_record
    control = Control(fake, arguments.control_port)
    async with fake, control, Relay(to_fake(fake.port), port=arguments.relay_port) as relay:
        ca = arguments.ca_out or fake.ca_pem_path
        ca.write_bytes(fake.certificates.pem)
        ports = {"port": fake.port, "control_port": control.port, "relay_port": relay.port}
        sys.stdout.write(json.dumps({**ports, "ca": str(ca)}) + "\n")
        sys.stdout.flush()
        await over.wait()


if __name__ == "__main__":
    asyncio.run(_run(_arguments()))
