"""The script for `mitmdump -s addons/gateway.py`: names the gateway to mitmproxy, nothing else."""

from openai_gateway.host.addon import gateway

addons = [gateway()]
