"""A page of our own outside Streamlit: plain HTML and CSS, no script, light and dark."""

from __future__ import annotations

from gettext import gettext as _
from html import escape

from starlette.responses import HTMLResponse

from pages.http.headers import static_folder

#: clinical.md 13.2 and 13.3, word for word: shown on every page or one click away.
INTENDED_USE = (
    "The software records, displays and summarises observations entered by authorised clinical "
    "staff during ketamine infusion sessions in adults. It shows when an entered value is outside "
    "limits chosen by the clinic. It is intended for use by trained healthcare professionals, "
    "alongside and never instead of bedside monitors and clinical judgement. It does not measure, "
    "does not control an infusion pump, does not give a diagnosis or a treatment recommendation, "
    "and must not be used as the only means of detecting deterioration. It is not intended for "
    "children, for general anaesthesia, for unattended patients, or for home use."
)
BANNER = "Decision support for record-keeping. Check the patient, the monitor and the pump first."
DEMO_BANNER = "Synthetic data. Not a medical device. Not for clinical use."

_CSS = """
:root{color-scheme:light dark;--page:#f4f5f7;--card:#fff;--ink:#14181f;--soft:#5b6472;
--line:#d9dde3;--edge:#7a8492;--key:#eef0f3;--accent:#0b5cad;--on-accent:#fff;--crit:#b3261e;
--warn:#ffd54a;--on-warn:#1d1600}
@media (prefers-color-scheme:dark){:root{--page:#0f1318;--card:#181e26;--ink:#eef2f6;
--soft:#9aa6b4;--line:#2c3541;--edge:#7f8b99;--key:#232b35;--accent:#5aa9f0;--on-accent:#0b1118;
--crit:#ff6b61}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;background:var(--page);color:var(--ink);display:grid;
place-items:center;padding:24px 16px;
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{width:100%;max-width:440px}
h1{font-size:24px;line-height:1.25;margin:0 0 4px}
h2{font-size:16px;margin:0 0 8px}
p{margin:0 0 16px}
.soft{color:var(--soft)}
.card{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:24px;
margin:0 0 16px}
label{display:block;font-weight:600;margin:0 0 6px}
input[type=text],input[type=password]{width:100%;height:52px;padding:0 14px;margin:0 0 16px;
font:inherit;font-size:18px;color:var(--ink);background:var(--page);border:1px solid var(--edge);
border-radius:10px}
button{width:100%;min-height:52px;padding:8px 16px;font:inherit;font-size:18px;font-weight:700;
color:var(--on-accent);background:var(--accent);border:0;border-radius:10px;cursor:pointer}
button.quiet{color:var(--ink);background:var(--key);font-size:16px;font-weight:600;
text-align:left;display:flex;justify-content:space-between;gap:12px;align-items:center}
button.quiet span{font-weight:400;color:var(--soft)}
form+form{margin-top:8px}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.refused{border-left:6px solid var(--crit);background:var(--key);border-radius:8px;
padding:12px 14px;margin:0 0 16px;font-weight:600}
.demo{background:var(--warn);color:var(--on-warn);border-radius:8px;padding:8px 14px;
margin:0 0 16px;font-weight:600}
details{color:var(--soft)}summary{cursor:pointer;min-height:48px;display:flex;align-items:center;
text-decoration:underline}
a{color:var(--accent)}
"""


def plain_page(title: str, body: str, *, status: int = 200) -> HTMLResponse:
    """A whole page.  ``body`` is HTML whose texts are escaped already; ``title`` is text."""
    return HTMLResponse(
        "<!doctype html>"
        f'<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="robots" content="noindex"><link rel="icon" href="/favicon.png">'
        f"{_chart_preload()}<style>{_CSS}</style></head><body><main>{body}{_intended_use()}"
        "</main></body></html>",
        status_code=status,
    )


def refusal(sentence: str) -> str:
    """A refusal above a form, read out by screen readers; nothing when there is none."""
    return f'<p class="refused" role="alert">{escape(sentence)}</p>' if sentence else ""


def hidden(name: str, value: str) -> str:
    """A hidden form field."""
    return f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'


def _intended_use() -> str:
    return (
        f"<details><summary>{escape(_('Intended use'))}</summary>"
        f"<p>{escape(_(INTENDED_USE))}</p></details>"
        f'<p class="soft">{escape(_(BANNER))}</p>'
    )


def _chart_preload() -> str:
    """Fetch Streamlit's chart code (4.7 MB) while people type, not when they open the chart."""
    found = sorted((static_folder() / "static" / "js").glob("PlotlyChart*.js"))
    return f'<link rel="modulepreload" href="/static/js/{found[0].name}">' if found else ""
