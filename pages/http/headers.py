"""Security headers on every answer; Streamlit sends none (ruling 8)."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

import streamlit

from pages.http.scripts import is_script

_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


@cache
def static_folder() -> Path:
    """Where the installed Streamlit keeps what the browser loads."""
    return Path(streamlit.__file__).parent / "static"


@cache
def public_files() -> frozenset[str]:
    """The addresses of Streamlit's own hashed files: the same for everybody, nothing of ours.

    A list and not a pattern: for a name that is not there Streamlit answers with its page.
    """
    folder = static_folder()
    return frozenset(
        f"/{path.relative_to(folder).as_posix()}"
        for path in (folder / "static").rglob("*")
        if path.is_file()
    )


@cache
def content_security_policy() -> str:
    """The policy, with the hash of Streamlit's own inline script as it is installed here."""
    index = (static_folder() / "index.html").read_text("utf-8")
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in _INLINE_SCRIPT.findall(index)
    )
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' blob: {hashes}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def security_headers(path: str, *, secure: bool) -> dict[str, str]:
    """The headers of an answer to this path; a route's own value for the same name gives way.

    ``no-store`` keeps patients out of the disk cache and out of the back button after sign-out.
    """
    headers = {
        "content-security-policy": content_security_policy(),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        # Not no-referrer: with that, browsers send "Origin: null" with our own forms.
        "referrer-policy": "same-origin",
        "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }
    if path not in public_files() and not is_script(path):
        headers["cache-control"] = "no-store"
    if secure:
        headers["strict-transport-security"] = "max-age=31536000"
    return headers
