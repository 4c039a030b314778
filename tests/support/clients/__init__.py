"""Clients that can do what no library lets them: raw bytes, wrong names, broken ends."""

from tests.support.clients.h1 import RawH1
from tests.support.clients.h2 import RawH2
from tests.support.clients.library import client, events
from tests.support.clients.reply import Reply
from tests.support.clients.shape import bearer
from tests.support.clients.sockets import Refused, Said, WebSocket
from tests.support.clients.tunnel import ConnectRefused, Way

__all__ = [
    "ConnectRefused",
    "RawH1",
    "RawH2",
    "Refused",
    "Reply",
    "Said",
    "Way",
    "WebSocket",
    "bearer",
    "client",
    "events",
]
