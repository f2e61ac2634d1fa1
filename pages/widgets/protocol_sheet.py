"""Protocols to read, as HTML: the list, one version as a sheet, what differs.  All text escaped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import tzinfo
from decimal import ROUND_DOWN, Decimal
from gettext import gettext as _
from gettext import ngettext
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from monitor.actions.protocols import ProtocolVersion
from monitor.actions.versions import Standing, StoredVersion
from monitor.days import moment_text
from monitor.dose_units import format_dose, plain, shown
from monitor.errors import Problem
from monitor.limit_rows import ROWS, Limit, binding, row_limits
from monitor.numbers import parse_number
from monitor.permissions import User
from monitor.protocol_check import planned_total_mg_per_kg
from monitor.protocol_difference import Change
from monitor.protocol_fields import (
    BY_PATH,
    FIELDS,
    Kind,
    ProtocolField,
    Section,
    unit_in,
    value_at,
    words_at,
)
from monitor.protocols import InfusionProtocol
from monitor.record import DoseUnit
from monitor.stated_rates import PER_70_KG, PER_KG, per_kg, rate_unit, step_rate
from pages.widgets.look import colours
from pages.widgets.protocol_plot import steps_picture

_CSS = (Path(__file__).parent / "protocol_sheet.css").read_text("utf-8")
_BADGES = {
    Standing.DRAFT: "draft",
    Standing.APPROVED: "use",
    Standing.IN_USE: "use",
    Standing.RETIRED: "retired",
}
_PLAN_ASIDE = frozenset({"name", "source"})
#: Who stored the packaged library.
_PACKAGED = "monitor"


def standing_words(standing: Standing) -> str:
    """Where a version stands, as it is shown."""
    return {
        Standing.DRAFT: _("draft"),
        Standing.APPROVED: _("approved"),
        Standing.IN_USE: _("in use"),
        Standing.RETIRED: _("retired"),
    }[standing]


def sentence(words: str) -> str:
    """With a capital in front, as it stands alone."""
    return words[:1].upper() + words[1:]


def framed(html: str, *, dark: bool) -> str:
    """HTML in the look of the protocol pages."""
    return (
        f"<style>{colours('.protocols', dark=dark)}{_CSS}</style>"
        f'<div class="protocols">{html}</div>'
    )


# -- the list --------------------------------------------------------------------------------


def list_html(versions: Sequence[ProtocolVersion], page: str) -> str:
    """Every version under what can be done with it; a row leads to its sheet."""
    use = [item for item in versions if item.standing in (Standing.APPROVED, Standing.IN_USE)]
    drafts = [item for item in versions if item.standing is Standing.DRAFT]
    waiting = [item for item in drafts if not item.missing]
    templates = [item for item in drafts if item.missing]
    retired = [item for item in versions if item.standing is Standing.RETIRED]
    groups = (
        (_("Sessions can be started under"), use, _("No protocol is approved.")),
        (_("Drafts that wait for an anaesthetist"), waiting, ""),
        (_("Templates: something is missing"), templates, ""),
    )
    parts = [
        f"<h2>{escape(title)}</h2>{_rows(items, page, nothing)}"
        for title, items, nothing in groups
        if items or nothing
    ]
    if retired:
        title = _("Out of use ({n})").format(n=len(retired))
        parts.append(
            f"<details><summary>{escape(title)}</summary>{_rows(retired, page, '')}</details>"
        )
    return "".join(parts)


def _rows(items: Sequence[ProtocolVersion], page: str, nothing: str) -> str:
    if not items:
        return f'<p class="none">{escape(nothing)}</p>'
    return f'<div class="rows" role="list">{"".join(row_html(item, page, _row_words(item)) for item in items)}</div>'


def row_html(item: StoredVersion, page: str, words: str) -> str:
    """One row of a list, that leads to the version on its page."""
    address = f"/{quote(page)}?version={item.version.id}"
    name = str(item.content.get("name", ""))
    number = _("version {n}").format(n=item.version.version)
    return (
        f'<div role="listitem"><a class="row" href="{address}" target="_self">'
        f"<b>{escape(item.version.code)}</b>"
        f'<span><span class="name">{escape(name)}</span><small>{escape(number)}</small></span>'
        f"{badge(item)}<small>{escape(words)}</small></a></div>"
    )


def _row_words(item: ProtocolVersion) -> str:
    if item.missing and item.standing is Standing.DRAFT:
        return _("Missing: {what}").format(what=", ".join(item.missing))
    source = str(item.content.get("source", ""))
    return f"{_running_words(item)} · {source}" if item.running else source


def _running_words(item: StoredVersion) -> str:
    return ngettext("{n} session open", "{n} sessions open", item.running).format(n=item.running)


def badge(item: StoredVersion) -> str:
    """The standing as a word in a frame of its own."""
    return (
        f'<span><span class="badge {_BADGES[item.standing]}">'
        f"{escape(standing_words(item.standing))}</span></span>"
    )


# -- one version -----------------------------------------------------------------------------


def sheet_html(
    item: ProtocolVersion,
    problems: Sequence[Problem],
    people: Iterable[User],
    zone: tzinfo,
    *,
    dark: bool,
) -> str:
    """The whole version.  ``problems``: what stands in the way of approving a draft."""
    content = item.content
    # The two columns are about as long as each other either way.
    watching = _watching(content)
    left, right = ("", watching) if content.get("steps") else (watching, "")
    return "".join(
        (
            head_html(item),
            lacks_html(problems),
            _notes(content),
            '<div class="pair"><div>',
            _plan(content, dark=dark),
            left,
            "</div><div>",
            _limits(content),
            binding_html(item),
            _second_person(content),
            right,
            "</div></div>",
            _sources(content),
            history_html(item, people, zone),
        )
    )


def head_html(item: StoredVersion) -> str:
    """What it is called, its version and standing, how many sessions run under it, its source."""
    number = _("version {n}").format(n=item.version.version)
    running = f"<small>{escape(_running_words(item))}</small>" if item.running else ""
    source = str(item.content.get("source", ""))
    return (
        f'<section><div class="head"><b>{escape(item.version.code)}</b>'
        f"<b>{escape(str(item.content.get('name', '')))}</b><small>{escape(number)}</small>"
        f"{badge(item)}{running}</div>"
        f'<div class="none">{escape(_("Source: {source}").format(source=source))}</div></section>'
    )


def lacks_html(problems: Sequence[Problem]) -> str:
    """What stands in the way of approving; nothing when there is nothing."""
    if not problems:
        return ""
    lines = "".join(f"<p>▲ {escape(problem.message)}</p>" for problem in problems)
    return f'<section class="lacks"><h2>{escape(_("Not ready"))}</h2>{lines}</section>'


def _notes(content: Mapping[str, Any]) -> str:
    notes = content.get("notes") or ()
    lines = "".join(f"<p>{escape(note)}</p>" for note in notes)
    title = escape(_("To be known and decided"))
    return f'<section class="notes"><h2>{title}</h2>{lines}</section>' if notes else ""


def _plan(content: Mapping[str, Any], *, dark: bool) -> str:
    rows = [
        _fact(content, field)
        for field in FIELDS
        if field.section is Section.PLAN and field.path not in _PLAN_ASIDE
    ]
    total = planned_total_mg_per_kg(content)
    if total is not None:
        rows.append(_pair(_("Total at the planned end"), format_dose(total, DoseUnit.MG_PER_KG)))
    return (
        f"<section><h2>{escape(_('Plan'))}</h2><table><tbody>{''.join(rows)}</tbody></table>"
        f"</section><section><h2>{escape(_('Planned steps'))}</h2>"
        f"{steps_picture(content, dark=dark)}{_steps(content)}</section>"
    )


def _steps(content: Mapping[str, Any]) -> str:
    steps = content.get("steps") or ()
    if not steps:
        return f'<p class="none">{escape(_("No step is planned yet."))}</p>'
    per_70 = rate_unit(content) == PER_70_KG
    rows = "".join(
        f'<tr><td class="number">{number}</td><td class="number">{step["after_min"]}</td>'
        f'<td class="number">{escape(plain(step_rate(content, step)))}</td>'
        + (f'<td class="number">{_per_kg_number(step_rate(content, step))}</td>' if per_70 else "")
        + "</tr>"
        for number, step in enumerate(steps, start=1)
    )
    units = (PER_70_KG, PER_KG) if per_70 else (PER_KG,)
    return table_html((_("Step"), _("from minute"), *units), rows)


def _per_kg_number(stated_mg_per_h: Decimal) -> str:
    """A rate per 70 kg in mg/kg/h as it is shown: rounded down, as it is kept."""
    return plain(shown(per_kg(stated_mg_per_h), DoseUnit.MG_PER_KG_PER_H, ROUND_DOWN))


def _limits(content: Mapping[str, Any]) -> str:
    pairs, single = [], []
    for field in FIELDS:
        if field.section is not Section.LIMITS or field.path.endswith("hard"):
            continue
        if field.path.endswith("soft"):
            hard = BY_PATH.get(field.path.removesuffix("soft") + "hard")
            label = sentence(_(field.label).removeprefix(_("soft ")))
            refused = _value(content, hard) if hard else '<td class="none">–</td>'
            pairs.append(f"<tr><th>{escape(label)}</th>{_value(content, field)}{refused}</tr>")
        else:
            single.append(_fact(content, field))
    head = (_("Beyond it"), _("asked (soft)"), _("refused (hard)"))
    return (
        f"<section><h2>{escape(_('Limits'))}</h2>{table_html(head, ''.join(pairs))}"
        f"<table><tbody>{''.join(single)}</tbody></table></section>"
    )


def binding_html(item: ProtocolVersion) -> str:
    """Which limit binds a dose at each point: the protocol's own or the stricter reference (U-24).

    Of a draft that is not complete, the reference limits that will hold beside whatever it says.
    """
    try:
        protocol: InfusionProtocol | None = item.version.protocol()
    except (KeyError, ValueError, ArithmeticError, TypeError):
        protocol = None
    rows = []
    for row in {row.field: row for row in reversed(ROWS)}.values():
        bound = binding(protocol, row.field) if protocol else _references(item.content, row.field)
        found = {limit.kind: _bound(limit, row.field) for limit in bound}
        if found:
            label = sentence(row.name.partition(",")[0])
            nothing = '<td class="none">–</td>'
            cells = f"{found.get('soft', nothing)}{found.get('hard', nothing)}"
            rows.append(f"<tr><th>{escape(label)}</th>{cells}</tr>")
    title = _("What binds a dose") if protocol else _("Reference limits that will hold")
    help_text = _("They hold beside the limits of the protocol: the stricter one binds.")
    if protocol:
        help_text = _("The stricter of the protocol's own limit and the reference limit.")
    if not rows:
        # They come from racemic ketamine, and nothing of them reaches another form (U-01).
        words = escape(_("No reference limit holds for this form of the drug."))
        return f"<section><h2>{escape(title)}</h2><p>{words}</p></section>"
    head = (_("Beyond it"), _("asked (soft)"), _("refused (hard)"))
    return (
        f"<section><h2>{escape(title)}</h2><p>{escape(help_text)}</p>"
        f"{table_html(head, ''.join(reversed(rows)))}</section>"
    )


def _references(content: Mapping[str, Any], field: str) -> Iterator[Limit]:
    fixed = bool((content.get("limits") or {}).get("fixed_rate_mg_per_kg_h"))
    code, form, setting = (str(content.get(key, "")) for key in ("code", "form", "setting"))
    found = sorted(
        row_limits(code, form, setting, field, fixed_dose=fixed), key=lambda limit: limit.value
    )
    # The strictest of each severity comes last and is the one that stays.
    yield from found if field == "step_interval_min" else reversed(found)


#: How the name of a limit ends, and its unit; the longer end first.
_UNITS = {
    "_mg_per_kg_h": "mg/kg/h",
    "_mg_per_kg": "mg/kg",
    "_mg_per_h": "mg/h",
    "_percent": "%",
    "_min": "min",
    "_h": "h",
}


def _bound(limit: Limit, field: str) -> str:
    unit = next(unit for end, unit in _UNITS.items() if field.endswith(end))
    whose = (
        _("reference limit") if limit.whose.startswith("the reference") else _("the protocol's own")
    )
    return f"<td>{escape(f'{plain(limit.value)} {unit}')}<br><small>{escape(whose)}</small></td>"


def _second_person(content: Mapping[str, Any]) -> str:
    rows = [_fact(content, field) for field in FIELDS if field.section is Section.SECOND_PERSON]
    title = escape(_("Second person confirms with a PIN"))
    return f"<section><h2>{title}</h2><table><tbody>{''.join(rows)}</tbody></table></section>"


def _watching(content: Mapping[str, Any]) -> str:
    rows = [_fact(content, field) for field in FIELDS if field.section is Section.WATCHING]
    profile = content.get("schedule_profile")
    if profile:
        rows.insert(1, _pair(_("Sets are due"), schedule_words(profile)))
    title = escape(_("Observation and scales"))
    return f"<section><h2>{title}</h2><table><tbody>{''.join(rows)}</tbody></table></section>"


def schedule_words(profile: Mapping[str, Any]) -> str:
    """The numbers of an observation schedule in one line."""
    parts = []
    if pre := profile.get("pre_within_min"):
        parts.append(_("one at most {n} min before the start").format(n=pre))
    for row in profile.get("intervals") or ():
        words = (
            _("every {n} min") if not row["from_min"] else _("from {from_min} min every {n} min")
        )
        parts.append(words.format(n=row["every_min"], from_min=row["from_min"]))
    fast = profile.get("fast_above_mg_per_kg_h")
    if fast and profile.get("fast_every_min"):
        words = _("every {n} min above {rate} mg/kg/h")
        parts.append(words.format(n=profile["fast_every_min"], rate=plain(parse_number(fast))))
    after = ", ".join(f"+{minutes}" for minutes in profile.get("after_increase_min") or ())
    if after:
        parts.append(_("{minutes} min after an increase").format(minutes=after))
    if profile.get("restart_on_increase"):
        parts.append(_("begun anew at every increase"))
    if every := profile.get("recovery_every_min"):
        parts.append(_("in recovery every {n} min").format(n=every))
    if recovery := profile.get("min_recovery_min"):
        parts.append(_("recovery at least {n} min").format(n=recovery))
    if least := profile.get("min_from_start_min"):
        parts.append(_("at least {n} min from the start").format(n=least))
    return "; ".join(parts)


def _sources(content: Mapping[str, Any]) -> str:
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td>{escape(str(row.get(part, '')))}</td>"
            for part in ("about", "says", "source", "confidence")
        )
        + "</tr>"
        for row in content.get("sources") or ()
    )
    if not rows:
        return ""
    head = (_("About"), _("What the source says"), _("Source"), _("Confidence"))
    title = escape(_("Where the numbers come from"))
    return f"<section><h2>{title}</h2>{table_html(head, rows)}</section>"


def history_html(item: StoredVersion, people: Iterable[User], zone: tzinfo) -> str:
    """Who wrote, approved and retired it, when and why."""
    names = {person.username: person.name for person in people} | {
        _PACKAGED: _("packaged with the monitor")
    }
    rows = "".join(
        "<tr>"
        f"<td>{escape(moment_text(event.at, zone))}</td>"
        f"<td>{escape(_event_words(event.status.value))}</td>"
        f"<td>{escape(names.get(event.by, event.by))}</td>"
        f"<td>{escape(event.reason)}</td></tr>"
        for event in item.events
    )
    head = (_("When"), _("What"), _("Who"), _("Why"))
    return f"<section><h2>{escape(_('History'))}</h2>{table_html(head, rows)}</section>"


def _event_words(status: str) -> str:
    return {
        "draft": _("written"),
        "approved": _("approved"),
        "retired": _("taken out of use"),
    }[status]


def _fact(content: Mapping[str, Any], field: ProtocolField) -> str:
    return f"<tr><th>{escape(sentence(_(field.label)))}</th>{_value(content, field)}</tr>"


def _pair(label: str, words: str) -> str:
    return f"<tr><th>{escape(label)}</th><td>{escape(words)}</td></tr>"


def _value(content: Mapping[str, Any], field: ProtocolField) -> str:
    words = words_at(content, field)
    if not words:
        missing = _("missing") if field.needed else "–"
        return f'<td class="none">{escape(missing)}</td>'
    if field.kind is Kind.CHOICE and words == value_at(content, field.path):
        return f"<td>{escape(words)}</td>"
    kind = ' class="number"' if field.unit else ""
    if unit_in(content, field) == PER_70_KG:
        words += f" = {_per_kg_number(Decimal(value_at(content, field.path)))} {PER_KG}"
    return f"<td{kind}>{escape(words)}</td>"


def table_html(head: Sequence[str], rows: str) -> str:
    """A table with column titles over rows that are HTML already."""
    titles = "".join(f'<th scope="col">{escape(title)}</th>' for title in head)
    return f"<table><thead><tr>{titles}</tr></thead><tbody>{rows}</tbody></table>"


# -- what differs ----------------------------------------------------------------------------


def difference_html(changes: Sequence[Change]) -> str:
    """What changed, one row each: where, what it was, what it is."""
    if not changes:
        return f'<p class="none">{escape(_("Nothing differs."))}</p>'
    rows = "".join(
        f"<tr><td>{escape(sentence(change.where))}</td>"
        f"<td>{_changed(change.before, change.unit, _('not there'), 'was')}</td>"
        f"<td><b>{_changed(change.after, change.unit, _('left out'), '')}</b></td></tr>"
        for change in changes
    )
    return f"<section>{table_html((_('Where'), _('before'), _('now')), rows)}</section>"


def _changed(words: str, unit: str, nothing: str, kind: str) -> str:
    if not words:
        return f'<span class="none">{escape(nothing)}</span>'
    return f'<span class="{kind}">{escape(f"{words} {unit}".rstrip())}</span>'
