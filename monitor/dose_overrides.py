"""What a saved dose went past, in words, and who confirmed it: read from the codes stored with it.

The names of limits are those of clinical.md 2.5 (library/dosing.toml).
"""

from __future__ import annotations

from collections.abc import Mapping

from monitor.bolus_checks import BOLUS_NOT_PLANNED, BOLUS_WITH_ANAESTHETIST
from monitor.limit_rows import ROWS
from monitor.record import Fact, Source

#: "rate", "absolute rate", "step size": the rows' names without the setting they hold in.
_NAMES = {row.field: row.name.partition(",")[0] for row in reversed(ROWS)} | {
    "total_mg": "session total"
}
_TOO_EARLY = "step_interval"
_WORDS = {
    f"{_TOO_EARLY}.soft": "earlier than planned",
    f"{_TOO_EARLY}.hard": "earlier than the protocol allows",
    BOLUS_NOT_PLANNED: "a bolus the protocol does not plan",
    BOLUS_WITH_ANAESTHETIST: "a bolus that needs an anaesthetist present",
    "start_rate.soft": "above the start rate of the protocol",
    "ten_fold.soft": "ten times the last rate or more",
    "unit_swap.soft": "a number usual in another unit",
    "titrate_if.soft": "raised although the protocol waits",
    "form.hard": "a drug form the protocol is not for",
    "form_limits.hard": "limits for this drug form are missing",
    "ordered_by.nobody": "nobody ordered it",
    "gate.block": "started although the gate blocked it",
    "gate.caution": "the gate asked for a reason",
}


def beyond_words(fact: Fact) -> str:
    """ "earlier than the protocol allows", each once; empty when nothing stood against the dose."""
    codes: tuple[str, ...] = getattr(fact, "overrides", ())
    return "; ".join(dict.fromkeys(_words(code) for code in codes))


def _words(code: str) -> str:
    if code in _WORDS:
        return _WORDS[code]
    limit, _, kind = code.rpartition(".")
    if limit in _NAMES and kind in ("soft", "hard"):
        return f"beyond the {kind} limit: {_NAMES[limit]}"
    if limit == "interlock":
        return "given while an alert or a late set stood against it"
    if limit == "second_person":
        return "without the second person it needs"
    return f"recorded against a check ({code})"


def second_person_words(fact: Fact, names: Mapping[str, str]) -> str:
    """ "second person C. Diaz (PIN)"; a dose read from a file was not confirmed here with a PIN."""
    person = getattr(fact, "second_person", None)
    if not person:
        return ""
    proof = "" if fact.source is Source.IMPORTED else " (PIN)"
    return f"second person {names.get(person, person)}{proof}"


def confirmation_words(fact: Fact, names: Mapping[str, str]) -> str:
    """Who confirmed it, and what it went past, in one line; empty for a plain dose."""
    beyond = beyond_words(fact)
    said = (second_person_words(fact, names), f"⚑ {beyond}" if beyond else "")
    return ", ".join(part for part in said if part)
