"""Our own large scripts under hashed addresses: loaded once by a browser, compiled once, kept.

Streamlit sends the inline script of a component again with every run of the fragment it stands in:
a quarter of a megabyte to every tablet for every entry saved on any of them.
"""

from __future__ import annotations

import hashlib
import json

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_FOLDER = "/scripts/"
#: The address changes with the content, so what a browser keeps is never out of date.
_KEPT = "public, max-age=31536000, immutable"
#: Wi-Fi that fails for a moment while a page opens: each try has its own address, because browsers
#: remember that a module failed.
_LOADER = """
const address = new URL({path}, location.origin).href;
async function load(tries) {{
  try {{
    return await import(tries ? `${{address}}?try=${{tries}}` : address);
  }} catch (error) {{
    if (tries === 5) throw error;
    await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** tries));
    return load(tries + 1);
  }}
}}
const loaded = await load(0);
export default loaded.default;
"""

_sources: dict[str, str] = {}


def served(name: str, source: str) -> str:
    """Keep ``source`` (a module with a default export) for the browsers; gives what loads it."""
    path = f"{_FOLDER}{name}-{hashlib.sha256(source.encode()).hexdigest()[:16]}.js"
    _sources[path] = source
    return _LOADER.format(path=json.dumps(path))


def is_script(path: str) -> bool:
    """Whether this is the address of one of them: the same for everybody, nothing of a patient."""
    return path in _sources


async def _script(request: Request) -> Response:
    source = _sources.get(request.url.path)
    if source is None:
        return Response(status_code=404)
    return Response(source, media_type="text/javascript", headers={"cache-control": _KEPT})


routes = [Route(f"{_FOLDER}{{name}}", _script)]
