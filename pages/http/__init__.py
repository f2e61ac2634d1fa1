"""What is served beside Streamlit: sign-in, the entry API, the live poll, downloads, health.

Every module here exports ``routes`` of what it needs, the gate or the store; a route starts with
``user, device = current_user(request)`` and, when it writes, ``check_write(request)``.
Refusals (monitor.errors) simply rise: ``answers`` turns them into a status and a sentence.
"""

from __future__ import annotations

from starlette.middleware import Middleware
from starlette.routing import Route

from pages.http import blank_chart, device_routes, downloads, entry, health, live, scripts, sign_in
from pages.http.alert_ticker import AlertTicker
from pages.http.answers import exception_handlers
from pages.http.context import Gate, Policy, current_user, install
from pages.http.csrf import check_write
from pages.http.middleware import FrontDoor
from pages.http.watch import Watch

__all__ = [
    "AlertTicker",
    "Gate",
    "Policy",
    "Watch",
    "check_write",
    "current_user",
    "exception_handlers",
    "front_door",
    "install",
    "routes",
]


def routes(gate: Gate, watch: Watch) -> list[Route]:
    """Every route of ours; Streamlit's own are added by its App."""
    return [
        *sign_in.routes(gate, watch),
        *device_routes.routes(gate, watch),
        *health.routes(gate.store),
        *entry.routes(gate),
        *live.routes(gate.store),
        *downloads.routes(gate),
        *blank_chart.routes(gate),
        *scripts.routes,
    ]


def front_door(gate: Gate, watch: Watch, *, allowed_hosts: tuple[str, ...]) -> list[Middleware]:
    """The front door; it runs before everything, Streamlit's own middleware included."""
    return [Middleware(FrontDoor, gate=gate, watch=watch, allowed_hosts=allowed_hosts)]
