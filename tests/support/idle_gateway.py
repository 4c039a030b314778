"""For `mitmdump -s` in the gateway's place: looks alive and does nothing, every call goes through
as it came. Whatever claims to prove the gateway must fail with it.

IDLE_DOES may name what it does after all: `swap` (the key, in its own place), `stream` (answers).
"""

import http.server
import os
import shutil
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import certifi
import yaml
from mitmproxy import ctx
from mitmproxy.addonmanager import Loader
from mitmproxy.http import HTTPFlow

DOES = os.environ.get("IDLE_DOES", "").split()


class Ready(http.server.BaseHTTPRequestHandler):
    """Answers everything on metrics.listen with 200."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing."""


class Idle:
    """Takes the gateway's configuration to find the way out, and changes no call."""

    def load(self, loader: Loader) -> None:
        loader.add_option("gateway_config", str, "", "the gateway's file")

    def configure(self, updated: set[str]) -> None:
        if "gateway_config" not in updated:
            return
        self.config = yaml.safe_load(Path(ctx.options.gateway_config).read_text())
        ctx.options.update(
            confdir="certs",
            connection_strategy="lazy",
            upstream_cert=False,
            ssl_verify_upstream_trusted_ca=self.config["upstream"]["ca_file"],
        )

    def running(self) -> None:
        certs = Path("certs")
        shutil.copy(certs / "mitmproxy-ca-cert.pem", certs / "gateway-ca.pem")
        roots = Path(certifi.where()).read_text()
        bundle = (certs / "gateway-ca.pem").read_text() + roots
        (certs / "ca-bundle.pem").write_text(bundle)
        host, _, port = self.config["metrics"]["listen"].rpartition(":")
        server = http.server.ThreadingHTTPServer((host, int(port)), Ready)
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def requestheaders(self, flow: HTTPFlow) -> None:
        proxy = urlsplit(self.config["upstream"]["proxy"])
        flow.server_conn.via = ("http", (proxy.hostname, proxy.port))
        if "swap" in DOES:
            flow.request.headers["authorization"] = f"Bearer {os.environ['OPENAI_API_KEY_STAGING']}"

    def responseheaders(self, flow: HTTPFlow) -> None:
        assert flow.response is not None
        flow.response.stream = "stream" in DOES


addons = [Idle()]
