"""A limit set to read, as HTML: every limit with when it fires, ends, and where it is from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo
from gettext import gettext as _
from html import escape
from typing import Any

from monitor.actions.versions import StoredVersion
from monitor.errors import Problem
from monitor.limit_set_entry import LEVEL_PARTS, SINGLE, clock_words, entry_of
from monitor.limit_words import expression_words
from monitor.permissions import User
from monitor.thresholds import parse_expression
from pages.widgets.protocol_sheet import (
    head_html,
    history_html,
    lacks_html,
    row_html,
    sentence,
    table_html,
)


def limit_list_html(versions: Sequence[StoredVersion], page: str) -> str:
    """Every version, the newest of each code first; a row leads to its sheet."""
    rows = "".join(row_html(item, page, item.events[-1].reason) for item in versions)
    return f'<div class="rows limit-sets" role="list">{rows}</div>'


def limit_sheet_html(
    item: StoredVersion, problems: Sequence[Problem], people: Iterable[User], zone: tzinfo
) -> str:
    """The whole version.  ``problems``: what stands in the way of approving a draft."""
    content = item.content
    return "".join(
        (
            head_html(item),
            lacks_html(problems),
            _limits(content),
            _times(content),
            history_html(item, people, zone),
        )
    )


def _limits(content: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><b>{escape(row['label'])}</b>{_only(row)}"
        f'<small class="source">{escape(row["source"])}</small></td>'
        + "".join(f"<td>{_level(row, level, content)}</td>" for level in LEVEL_PARTS)
        + "</tr>"
        for row in content["rule"]
    )
    head = (_("Limit and its source"), _("▲ Warning"), _("⬤ Critical"))
    title = escape(_("Limits ({n})").format(n=len(content["rule"])))
    return f'<section class="limit-rows"><h2>{title}</h2>{table_html(head, rows)}</section>'


def _only(row: Mapping[str, Any]) -> str:
    """For which sessions the row is."""
    words = []
    if "only_when" in row:
        words.append(_("only when {what}").format(what=row["only_when"]))
    if "not_when" in row:
        words.append(_("not when {what}").format(what=row["not_when"]))
    if "spo2_scale" in row:
        words.append(_("SpO2 scale {n}").format(n=row["spo2_scale"]))
    words += row.get("sedation_scales", ()) or row.get("dissociation_scales", ())
    return "".join(f"<small>{escape(word)}</small>" for word in words)


def _level(row: Mapping[str, Any], name: str, content: Mapping[str, Any]) -> str:
    level = row.get(name)
    if not level:
        return '<span class="none">–</span>'

    def told(part: str) -> str:
        return escape(expression_words(parse_expression(level[part]), row["sign"]))

    lines = [f"<b>{told('fires')}</b>"]
    if "at_once" in level:
        lines.append(_("at once when {what}").format(what=told("at_once")))
    if "counts_when" in level:
        lines.append(_("counts only when {what}").format(what=told("counts_when")))
    lines.append(_("ends {what}").format(what=told("clears")))
    lines.append(escape(confirm_words(level["confirm"], content)))
    return "".join(f"<div>{line}</div>" for line in lines)


def confirm_words(name: str, content: Mapping[str, Any]) -> str:
    """How a first reading outside is confirmed, in words."""
    if name == SINGLE:
        return _("one reading is enough")
    row = content["confirm"][name]
    until = clock_words(row["until_s"])
    if not row.get("by_reading", True):
        return _("confirmed after {until}").format(until=until)
    return _("repeat {begin} to {until}").format(begin=clock_words(row["from_s"]), until=until)


def _times(content: Mapping[str, Any]) -> str:
    rows = "".join(
        f'<tr><td>{escape(sentence(_(label)))}</td><td class="number">{escape(words)} min</td></tr>'
        for label, words in entry_of(content).times.items()
    )
    head = (_("What"), _("Time"))
    return f"<section><h2>{escape(_('Times'))}</h2>{table_html(head, rows)}</section>"
