"""Draws the dashboard from a real Prometheus over a real gateway under mixed traffic.

python -m tests.observability.preview [--seconds 120] [--picture docs/images/dashboard.png]

By hand, with Debian's packages `prometheus` and `chromium`. It ends by itself.
"""

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from openai_gateway.leaks.rules.template import fill
from tests.observability.dashboard import ROOT, load, panels
from tests.observability.preview.answers import Answer, Span, annotated, answered
from tests.observability.preview.page import WIDTH, page
from tests.observability.preview.palette import shrink
from tests.observability.preview.server import photograph, prometheus
from tests.observability.preview.traffic import Traffic, config, environment
from tests.support.fake_openai import FakeOpenAIThread
from tests.support.gateway_process import GatewayProcess, fresh_keys, merged, settings
from tests.support.relay import RelayThread, to_fake

SECRET = fill("ghp_{alnum:30}{crc32}", random.Random(7)).decode()  # noqa: S311 - nobody's
MOST = 300_000  # bytes of the picture that is kept


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.observability.preview")
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--picture", type=Path, default=ROOT / "docs/images/dashboard.png")
    return parser.parse_args()


def gathered(seconds: float, folder: Path) -> tuple[list[Answer], Span]:
    """What Prometheus answers to every panel that is not folded away, after the traffic."""
    keys = {"shop": fresh_keys(), "search": fresh_keys()}
    with (
        FakeOpenAIThread({pair.staging for pair in keys.values()}) as fake,
        RelayThread(to_fake(fake.port)) as relay,
        GatewayProcess(
            merged(settings(relay.url, fake.ca_pem_path), config(keys)), environment(keys)
        ) as gateway,
        prometheus(f"127.0.0.1:{gateway.metrics_port}", folder) as server,
    ):
        begin = time.time()
        Traffic(gateway, fake, keys, SECRET).run(seconds)
        time.sleep(2)  # the last scrape
        span = annotated(server, load(), Span(begin, time.time()))
        return [answered(server, panel, span) for panel in panels(load())], span


def main() -> int:
    told = arguments()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        answers, span = gathered(told.seconds, folder)
        silent = [one.panel["title"] for one in answers if _silent(one)]
        folded = {p["title"] for row in load()["panels"] for p in row.get("panels", [])}
        open_ = [one for one in answers if one.panel["title"] not in folded]
        words = (
            f"Real answers of a real Prometheus over a real gateway and a fake OpenAI, "
            f"{told.seconds:.0f} s of made-up traffic."
        )
        html, height = page(load(), open_, span, words)
        written = folder / "preview.html"
        written.write_text(html, encoding="utf-8")
        told.picture.parent.mkdir(parents=True, exist_ok=True)
        photograph(written, told.picture, WIDTH, height)
        shrink(told.picture)
    size = told.picture.stat().st_size
    sys.stdout.write(f"{told.picture}: {size} bytes\nwithout data: {', '.join(silent) or 'none'}\n")
    return 0 if size < MOST else 1


def _silent(answer: Answer) -> bool:
    return answer.panel["type"] != "text" and not answer.series and not answer.rows


if __name__ == "__main__":
    raise SystemExit(main())
