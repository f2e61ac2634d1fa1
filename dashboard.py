"""Composition root: opens the store and puts the front door before Streamlit.

Started with ``streamlit run dashboard.py`` (or ``python -m monitor serve``, which migrates first).
Streamlit finds the App by reading this source: only a literal module-level ``app = App(...)``
counts; built any other way it would run without middleware and without sign-in, silently.

    MONITOR_DATABASE_URL   sqlite:///data/monitor.db or postgresql://...
    MONITOR_ZONE           the clinic's time zone, for example Europe/London
    MONITOR_ONE_TAP        the clinic's own one-tap buttons (docs/one-tap.md)
"""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from streamlit import config
from streamlit.starlette import App

import db
from monitor.commands.database import clinic_zone, database_url, one_tap
from monitor.errors import MonitorError
from pages import http


def open_gate() -> tuple[db.SqlStore, http.Gate]:
    """The store, zone and buttons of the environment; the process ends in words without them."""
    try:
        zone, buttons = clinic_zone(), one_tap()
        store = db.open_store(database_url(None), zone=zone)
    except MonitorError as error:
        raise SystemExit(str(error)) from None
    return store, http.Gate(store=store, zone=zone, one_tap=buttons)


store, gate = open_gate()
watch = http.Watch(gate)
http.install(gate)


def allowed_hosts() -> tuple[str, ...]:
    """The configured names, and the address the server was told to listen on."""
    names = tuple(str(name) for name in config.get_option("server.allowedHosts"))
    address = config.get_option("server.address")
    return names if address in (None, "0.0.0.0", "::") else (*names, address)


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """Load what the first page needs before anybody waits for it; close the store at the end."""
    import pages.widgets.frame  # noqa: F401

    # What is loaded stays: the collector need not walk it again (it ran after every click).
    gc.collect()
    gc.freeze()
    # Streamlit's script threads share one lock with the event loop; let it have its turn sooner.
    sys.setswitchinterval(0.0005)
    _tell_when_stopping()
    ticker = http.AlertTicker(store)
    ticker.start()
    try:
        yield
    finally:
        await ticker.close()
        await watch.close()
        store.close()


def _tell_when_stopping() -> None:
    """End the held questions on a signal; the server waits for every open request otherwise."""
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        servers = signal.getsignal(number)

        def stop(got: int, frame: Any, servers: Any = servers) -> None:
            loop.call_soon_threadsafe(watch.stopping.set)
            if callable(servers):
                servers(got, frame)

        signal.signal(number, stop)


app = App(
    "pages/shell.py",
    routes=http.routes(gate, watch),
    middleware=http.front_door(gate, watch, allowed_hosts=allowed_hosts()),
    exception_handlers=http.exception_handlers(),
    lifespan=lifespan,
)
