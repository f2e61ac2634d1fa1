"""Every word the bedside component shows, so that all of them can be translated."""

from __future__ import annotations

from gettext import gettext as _

from monitor.record import NONE_KNOWN


def words() -> dict[str, str]:
    """The component's sentences by key; ``{placeholders}`` are filled in the browser."""
    return (
        _screen_words()
        | _entry_words()
        | _saving_words()
        | _sheet_words()
        | _leaving_words()
        | _person_words()
        | _symptom_words()
    )


def _screen_words() -> dict[str, str]:
    return {
        "actions_label": _("Dose, side effects and events"),
        "all_saved": _("Every entry is saved. Check the patient, the monitor and the pump first."),
        "and_more": _(" · {n} more"),
        "answer": _("Answer"),
        "back_to_board": _("Back to the live board"),
        "conflict_open": _("≠ {label} {one} or {other}? Choose"),
        "dose": _("Dose"),
        "dose_bolus": _("bolus"),
        "dose_down": _("▼ lower"),
        "dose_hold": _("hold"),
        "dose_other": _("other…"),
        "dose_stop": _("stop"),
        "dose_up": _("▲ next"),
        "effect_none": _("none"),
        "effects": _("Effects"),
        "elapsed": _("{time} h"),
        "enter_late": _("Enter something that was forgotten"),
        "event_menu": _("event ▾"),
        "events": _("Events"),
        "infusion_ended": _("infusion ended {time}"),
        "intended_use": _("Intended use"),
        "lock": _("Lock"),
        "lock_button": _("{name} · lock"),
        "lock_failed": _(
            "This device could not be locked: the server does not answer. "
            "Stay with it, or switch it off."
        ),
        "looking": _("Looking for entries that wait …"),
        "missed_since": _("since {time}"),
        "more": _("more…"),
        "open_n": _("{n} open"),
        "next_set": _("next set"),
        "next_set_in": _("next set in"),
        "nothing_recorded": _("Nothing is recorded yet."),
        "recent_label": _("What was recorded last"),
        "recheck": _("Recheck"),
        "session_goes_on": _("The session goes on"),
        "set_due": _("set due"),
        "set_late": _("set LATE"),
        "set_missed": _("set MISSED"),
        "struck_row": _("Struck out: {text}"),
        "state_label": _("State of the infusion"),
    }


def _entry_words() -> dict[str, str]:
    return {
        "change": _("Change"),
        "change_unit": _("{label}: another unit"),
        "distress": _("Does it distress the patient?"),
        "distress_no": _("Distress: no"),
        "distress_yes": _("Distress: YES"),
        "draft_unreadable": _("A draft could not be read and was left out."),
        "draft_restored": _("Typed at {time}, not saved yet"),
        "entry_label": _("New observation set"),
        "erase": _("Erase"),
        "field_full": _("{field} {value}: no further digit fits. Tap it to type it again."),
        "first_time": _("The first time"),
        "higher": _("higher"),
        "is_this_right": _("Is this right?"),
        "just_now": _("less than a minute ago"),
        "keep": _("Yes, keep it"),
        "finish_first": _("Save or empty what is typed here first; then open it again."),
        "label_bp": _("BP"),
        "label_hr": _("HR"),
        "label_rr": _("RR"),
        "label_spo2": _("SpO₂"),
        "lower": _("lower"),
        "minute_ago": _("1 minute ago"),
        "minutes_ago": _("{minutes} minutes ago"),
        "more_values": _("more values…"),
        "more_values_n": _("more values · {n}"),
        "no_previous": _("no value yet"),
        "no_previous_then": _("no value before"),
        "not_a_number": _("“{text}” is not a number. Type it again."),
        "not_possible": _("This cannot be saved"),
        "not_taken": _("not taken"),
        "nothing_entered": _("Nothing is entered yet."),
        "now": _("now"),
        "other_time": _("Another time"),
        "patient_limit": _("Limit for this patient"),
        "patient_limit_help": _(
            "An anaesthetist approves it. It makes a limit stricter; the rate in mg/h of a fixed "
            "dose alone may be set higher than the general limit."
        ),
        "sum_patient_limit": _("Limit for this patient: {words} at most {value} {unit}"),
        "when_done": _("When was this done?"),
        "earlier": _("Held or stopped earlier"),
        "earlier_title": _("When was the infusion held or stopped?"),
        "over_other": _("min"),
        "pain": _("Pain"),
        "paper_day": _("Day"),
        "paper_mode": _("FROM PAPER ✕"),
        "pain_value": _("Pain {value}"),
        "really_so": _("It is really so…"),
        "reason_shown": _("not taken: {reason}"),
        "same_as_before": _("{label}: same as before, {value}"),
        "save": _("SAVE"),
        "second_time": _("The second time"),
        "short_dissociation": _("diss"),
        "short_nausea": _("nausea"),
        "short_pain": _("pain"),
        "short_sedation": _("sed"),
        "taken": _("Taken"),
        "was": _("was {value} · {minutes} min"),
        "was_before": _("{value}, {minutes} min before"),
        "was_score": _("was {value}"),
    }


def _saving_words() -> dict[str, str]:
    return {
        "answer_question": _("Answer it"),
        "came_back": _("NOT SAVED: {text}. Put it right, then SAVE."),
        "discard": _("Discard"),
        "discard_confirm": _("Discard: it will not be recorded"),
        "discard_help": _("It will not be recorded. What is recorded already stays as it is."),
        "discard_title": _("Discard this entry?"),
        "later": _("Later"),
        "locked": _("This device is locked. Unlock it and it will be sent."),
        "no_answer": _("The server does not answer. It is kept here and sent again."),
        "keep_open": _("keep this page open: this browser stores nothing"),
        "not_permitted": _("The server did not accept it from you."),
        "not_saved": _("NOT SAVED {time}: {text}"),
        "not_saved_because": _("Not saved: {text}"),
        "not_saved_n": _("{n} entries NOT SAVED, first {time}: {text}"),
        "nothing_waits": _("Nothing waits. Every entry is saved."),
        "open_bedside": _("Open the bedside"),
        "question_open": _("NOT SAVED · 1 question"),
        "questions_open": _("NOT SAVED · {n} questions"),
        "save_as_me": _("Save it under my name"),
        "saved_at": _("✓ saved {time} · nothing waits"),
        "saving": _("Saving {text}"),
        "send_now": _("Send now"),
        "sending": _("is being sent"),
        "show": _("Show"),
        "sign_in_again": _("Nobody is signed in. Sign in and it will be sent."),
        "try_again": _("Try again"),
        "understood": _("Understood: it is not recorded"),
        "undo": _("undo · {seconds} s"),
        "waiting_help": _(
            "These entries are kept on this device and sent again until the server answers. "
            "They also survive a reload. Do not enter them a second time."
        ),
        "waiting_title": _("Not saved yet"),
        "waits_1": _("1 entry NOT SAVED · {chair}"),
        "waits_n": _("{n} entries NOT SAVED · {chair}"),
    }


def _sheet_words() -> dict[str, str]:
    return {
        "action": _("Action"),
        "alerts": _("Alerts"),
        "allergies": _("Allergies"),
        "given_alone": _("It was given without a second person: record it"),
        "ledger_amount": _("Amount"),
        "ledger_amount_wrong": _("Enter the amount in mg, at most one digit behind the point."),
        "ledger_batch_missing": _("Enter the batch number printed on the ampoule."),
        "ledger_expires_wrong": _("Enter the expiry as year and month, like 2027-06 or 202706."),
        "ledger_reason_missing": _("Say what happened to this amount."),
        "ledger_balanced": _("Everything is accounted for."),
        "ledger_batch": _("Batch"),
        "ledger_expires": _("Expiry"),
        "ledger_expires_form": _("year-month"),
        "ledger_issued": _("Ampoules issued"),
        "ledger_lines": _("Written so far"),
        "ledger_reason": _("What happened to it"),
        "ledger_returned": _("Returned"),
        "ledger_title": _("Drug ledger"),
        "ledger_unaccounted": _("Explain a difference"),
        "ledger_wasted": _("Wasted"),
        "second_check": _("PIN ✓"),
        "second_choose": _("Choose who confirms, then let them type their PIN."),
        "second_confirmed": _("✓ {name} has confirmed."),
        "second_no_answer": _("No answer from the server, so nobody can confirm now."),
        "second_pin": _("PIN of the second person"),
        "second_type": _("Let them type their PIN."),
        "second_who": _("Confirmed by"),
        "sum_ledger": _("{kind}: {amount} mg"),
        "already_given": _("It was already given: record it"),
        "amend_cell": _("Correct {label} {value}"),
        "amend_row": _("Correct {text}"),
        "amend_title": _("Correct the record"),
        "amend_was": _("{label} {value} of {time}, {by}"),
        "answer_note": _("A word about it (optional)"),
        "answer_title": _("What was done about it?"),
        "at_once": _("at once"),
        "at_time": _("When"),
        "bolus_title": _("Bolus"),
        "check_and_save": _("Next"),
        "clear_reason": _("remove the reason"),
        "clock_help": _("Or type the clock time."),
        "clock_help_only": _(
            "Type the clock time that stands on the paper. Without a day it is of the last 24 hours."
        ),
        "clock_time": _("Clock time"),
        "clock_time_wrong": _("Type the time with four digits, like 14:05."),
        "close": _("Close"),
        "concentration": _("Strength"),
        "details_of": _("Details of {time}"),
        "done": _("Done"),
        "draft_of": _("{by}, {time}: {values}. Take it over"),
        "drafts_title": _("Typed on another tablet and not saved"),
        "effects_title": _("Side effects"),
        "ended_at": _("Ended: {time}"),
        "other_clock": _("other…"),
        "clock_help_type": _("Type the clock time."),
        "order_nobody": _("nobody: own decision"),
        "order_needed": _("Choose who ordered it."),
        "reason_needed": _("Choose why."),
        "given_needed": _("Refused as a plan. What was already given can be recorded."),
        "conflict_help": _(
            "The one that is not kept is struck out and stays readable. "
            "Until somebody chooses, the worse value counts."
        ),
        "conflict_title": _("Two values within a minute. Which one is right?"),
        "completed_confirm": _("Complete the session"),
        "completed_help": _(
            "The session closes and leaves the live board. "
            "Corrections are still possible until it is signed."
        ),
        "completed_title": _("Complete this session?"),
        "given_for": _("Given for"),
        "note_do": _("Note"),
        "note_save": _("Save"),
        "go_back": _("Back"),
        "grade_confirm": _("Save grade {grade}, {label}"),
        "grade_question": _("{effect}: grade {grade}, {label}?"),
        "grade_now": _("Grade changed"),
        "leave_draft": _("Leave it there"),
        "minus_minutes": _("−{minutes} min"),
        "more_title": _("More values and symptoms of this set"),
        "new_syringe": _("New syringe or bag"),
        "no_such_effect": _("No side effect has this name. Try fewer letters."),
        "not_taken_title": _("{field}: why is there no value?"),
        "open_effect": _("{effect} {grade} since {time}: change or end"),
        "ordered_by": _("Ordered by"),
        "other_rate": _("Another rate"),
        "over_minutes": _("over {minutes} min"),
        "really_so_help": _(
            "The value is outside what is possible. It will be recorded and flagged. "
            "How was it confirmed?"
        ),
        "really_so_title": _("{field} {value} is really so"),
        "paper_off": _("End entering from paper"),
        "paper_on": _("Enter from paper…"),
        "paper_when": _("{text}: at what time, on the paper?"),
        "paper_when_set": _("At what time was this set taken?"),
        "print_blank": _("Print a blank chart"),
        "relation": _("Due to the drug"),
        "replace_because": _("{value} is right. What was wrong?"),
        "right_value_first": _("Enter the right value, or strike the wrong one out."),
        "right_chair": _("Yes, {chair}: save it"),
        "roused_no": _("No: sedation not assessed"),
        "roused_question": _("Asleep. Does the patient rouse to voice?"),
        "roused_yes": _("Yes, roused to voice"),
        "runs_at": _("Runs at"),
        "search_effects": _("Find a side effect: any word, MedDRA term or SNOMED code"),
        "since": _("Since"),
        "still_open": _("Still open"),
        "strike_because": _("Strike out, without a new value. Why?"),
        "strike_out": _("Strike out, without a new value"),
        "sum_amend": _("{label} {old} corrected to {value}"),
        "sum_answer": _("Answer to: {text}"),
        "sum_conflict": _("{label} {kept} kept, {old} struck out"),
        "sum_effect": _("{effect} grade {grade}"),
        "sum_effect_end": _("{effect} ended"),
        "sum_none": _("asked: no side effect"),
        "sum_strike": _("{label} {old} struck out"),
        "sum_undo": _("undo of the last entry"),
        "symptoms": _("Symptoms"),
        "syringe_help": _(
            "Another strength ends the running rate. Enter the rate the pump runs at now."
        ),
        "treat": _("Drug given for it"),
        "typical_help": _("Clinic's list: {text}. For clinicians to read, never an order."),
        "use_time": _("use this time"),
        "when_taken": _("When was this taken?"),
        "wrong_chair": _("{here}. You were at {chair} {ago}. Is this entry for this patient?"),
        "why": _("Why"),
    }


def _leaving_words() -> dict[str, str]:
    """Gate, recovery score and discharge."""
    return {
        "all_no": _("Answer {n} with no"),
        "all_yes": _("Answer {n} with yes"),
        "answer_no": _("No"),
        "answer_unknown": _("Unknown"),
        "answer_yes": _("Yes"),
        "bar_discharge": _("Discharge"),
        "bar_missing": _("{n} missing"),
        "bar_ready": _("ready to leave"),
        "bar_score": _("Recovery score"),
        "closing_first": _("Before it can be completed: {why}"),
        "gate_asks_1": _("▲ 1 point before the start"),
        "gate_asks_n": _("▲ {n} points before the start"),
        "gate_blocked_1": _("◆ Start is blocked: 1 point"),
        "gate_blocked_n": _("◆ Start is blocked: {n} points"),
        "gate_checks": _("Checks"),
        "gate_overridden_1": _("⚑ Nothing in the way · 1 overridden"),
        "gate_overridden_n": _("⚑ Nothing in the way · {n} overridden"),
        "gate_started": _("The infusion has already started: record it"),
        "gate_title": _("Before the start"),
        "gate_yes": _("✓ Nothing is in the way of the start"),
        "leave_back": _("Back: the patient is still here"),
        "leave_done": _("discharged"),
        "leave_early": _("The patient has left anyway…"),
        "leave_early_confirm": _("Record that the patient has left"),
        "leave_early_done": _("left before everything was met"),
        "leave_not_ready": _("Not yet ready to leave"),
        "leave_early_title": _("The patient has left anyway: this stays open"),
        "leave_now": _("Discharge"),
        "leave_open_1": _("Discharge: 1 point is missing"),
        "leave_open_n": _("Discharge: {n} points are missing"),
        "leave_title": _("Before the patient leaves"),
        "leave_when": _("Left"),
        "on_air": _("On air"),
        "on_oxygen": _("On oxygen…"),
        "overridden_words": _("overridden, {words}"),
        "override_anaesthetist": _("An anaesthetist decides this; the name is recorded."),
        "override_back": _("Take back"),
        "override_by": _("Decided by"),
        "override_confirm": _("Go on in spite of it"),
        "override_do": _("Override…"),
        "override_pin": _(
            "{name} confirms it with their PIN. Without it, it is recorded as a verbal order that "
            "is not confirmed."
        ),
        "override_title": _("{label}: go on in spite of it?"),
        "override_verbal": _("Verbal order, not confirmed"),
        "override_words": _("Reason in your own words"),
        "score_needed": _("{points} is needed to leave"),
        "score_save": _("SAVE · {n} of {of} scored"),
        "state_met": _("met"),
        "state_not_answered": _("not answered"),
        "state_said_no": _("no"),
        "sum_confirm": _("{label}: verbal order confirmed"),
        "sum_override": _("{label}: overridden"),
        "sum_override_back": _("{label}: override taken back"),
        "take_set": _("Take it"),
        "verbal_do": _("Confirm…"),
        "verbal_gone": _("Who ordered it has no account any more and cannot confirm it."),
        "verbal_mine": _("I confirm my order"),
        "verbal_open": _("⚑ Verbal orders to confirm · {n}"),
        "verbal_pin": _("{name} confirms it with their PIN."),
        "verbal_title": _("Verbal orders that are not confirmed"),
        "worked_out": _("from {from}"),
        "worked_out_later": _("worked out from the vital signs"),
    }


def _person_words() -> dict[str, str]:
    """The patient's weight and allergies."""
    return {
        "allergy_example": _("Substance and reaction, like latex: rash"),
        "allergy_new": _("New allergy"),
        "allergy_none": _("None known"),
        "allergy_none_text": NONE_KNOWN,
        "allergy_save": _("Add the allergy"),
        "sum_allergy": _("Allergy: {text}"),
        "weigh_ABW": _("actual"),
        "weigh_ADJ": _("adjusted"),
        "weigh_IBW": _("ideal"),
        "weigh_basis": _("Doses go by"),
        "weigh_height_cm": _("Height"),
        "weigh_known": _("It was"),
        "weigh_label": _("Weight: {text}. Record another one"),
        "weigh_measured": _("measured"),
        "weigh_now": _("Now: {text}."),
        "weigh_save": _("Save this weight"),
        "weigh_stated": _("stated"),
        "weigh_title": _("Another weight"),
        "weigh_weight_kg": _("Weight"),
    }


def _symptom_words() -> dict[str, str]:
    """Symptoms that are there, gone, or were not asked about; oxygen; earlier rows, right times."""
    return {
        "clock_fast": _("tablet clock {minutes} min fast"),
        "clock_slow": _("tablet clock {minutes} min slow"),
        "clock_wrong": _("Every entry is saved, with the right time: {why}."),
        "earlier_failed": _("The server does not answer. Try again."),
        "earlier_rows": _("Earlier entries · {n} more"),
        "right_time": _("{what}: the right time"),
        "right_time_help": _(
            "Everything that was saved together gets this time. What was written stays readable."
        ),
        "saved_clock": _("✓ saved {time} · {why}"),
        "sum_retime": _("{what} was at {time}"),
        "wrong_time": _("Wrong time…"),
        "late_why": _("Entered late because"),
        "oxygen_now": _("Last recorded: {flow} L/min at {time}."),
        "oxygen_other": _("Or type another flow in L/min."),
        "sum_oxygen": _("Oxygen {flow} L/min"),
        "symptom_gone": _("gone"),
        "symptom_still": _("still there"),
        "tick_no": _("{label}: no"),
        "tick_yes": _("{label}: YES"),
    }
