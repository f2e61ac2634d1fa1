"""Every word the bedside component shows, so that all of them can be translated."""

from __future__ import annotations

from gettext import gettext as _


def words() -> dict[str, str]:
    """The component's sentences by key; ``{placeholders}`` are filled in the browser."""
    return _screen_words() | _entry_words() | _saving_words() | _sheet_words()


def _screen_words() -> dict[str, str]:
    return {
        "actions_label": _("Dose, side effects and events"),
        "all_saved": _("Every entry is saved. Check the patient, the monitor and the pump first."),
        "and_more": _(" · {n} more"),
        "answer": _("Answer"),
        "back_to_board": _("Back to the live board"),
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
        "missed_since": _("since {time}"),
        "more": _("more…"),
        "more_open": _("more · {n} open"),
        "next_set": _("next set"),
        "next_set_in": _("next set in"),
        "nothing_recorded": _("Nothing is recorded yet."),
        "recent_label": _("What was recorded last"),
        "recheck": _("Recheck"),
        "session_goes_on": _("The session goes on"),
        "set_due": _("set due"),
        "set_late": _("set LATE"),
        "set_missed": _("set MISSED"),
        "state_label": _("State of the infusion"),
    }


def _entry_words() -> dict[str, str]:
    return {
        "change": _("Change"),
        "distress": _("Does it distress the patient?"),
        "distress_no": _("Distress: no"),
        "distress_yes": _("Distress: YES"),
        "draft_unreadable": _("A draft could not be read and was left out."),
        "draft_restored": _("Typed at {time}, not saved yet"),
        "entry_label": _("New observation set"),
        "erase": _("Erase"),
        "first_time": _("The first time"),
        "higher": _("higher"),
        "is_this_right": _("Is this right?"),
        "keep": _("Yes, keep it"),
        "finish_first": _("Save or empty what is typed here first; then open it again."),
        "label_bp": _("BP"),
        "label_hr": _("HR"),
        "label_rr": _("RR"),
        "label_spo2": _("SpO₂"),
        "lower": _("lower"),
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
        "pain": _("Pain"),
        "pain_value": _("Pain {value}"),
        "really_so": _("It is really so…"),
        "reason_shown": _("not taken: {reason}"),
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
        "discard": _("Discard"),
        "discard_confirm": _("Discard: it will not be recorded"),
        "discard_help": _("It will not be recorded. What is recorded already stays as it is."),
        "discard_title": _("Discard this entry?"),
        "locked": _("This device is locked. Unlock it and it will be sent."),
        "no_answer": _("The server does not answer. It is kept here and sent again."),
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
        "alerts": _("Alerts"),
        "allergies": _("Allergies"),
        "already_given": _("It was already given: record it"),
        "amend_cell": _("Correct {label} {value}"),
        "amend_row": _("Correct {text}"),
        "amend_title": _("Correct the record"),
        "amend_was": _("{label} {value} of {time}, {by}"),
        "answer_note": _("A word about it (optional)"),
        "answer_title": _("What was done about it?"),
        "at_once": _("at once"),
        "bolus_title": _("Bolus"),
        "check_and_save": _("Next"),
        "clear_reason": _("remove the reason"),
        "clock_help": _("Or type the clock time."),
        "clock_time": _("Clock time"),
        "clock_time_wrong": _("Type the time with four digits, like 14:05."),
        "close": _("Close"),
        "concentration": _("Strength"),
        "details_of": _("Details of {time}"),
        "done": _("Done"),
        "draft_of": _("{by}, {time}: {values}. Take it over"),
        "drafts_title": _("Typed on another tablet and not saved"),
        "effects_title": _("Side effects"),
        "ended_now": _("Ended now"),
        "completed_confirm": _("Complete the session"),
        "completed_help": _(
            "The session closes and leaves the live board. "
            "Corrections are still possible until it is signed."
        ),
        "completed_title": _("Complete this session?"),
        "discharged_confirm": _("The patient is discharged"),
        "discharged_help": _(
            "The infusion has ended and the patient leaves. "
            "No further set falls due and no dose can be recorded."
        ),
        "discharged_title": _("Discharge the patient?"),
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
        "replace_because": _("{value} is right. What was wrong?"),
        "right_value_first": _("Enter the right value, or strike the wrong one out."),
        "roused_no": _("No: sedation not assessed"),
        "roused_question": _("Asleep. Does the patient rouse to voice?"),
        "roused_yes": _("Yes, roused to voice"),
        "runs_at": _("Runs at"),
        "search_effects": _("Find a side effect"),
        "since": _("Since"),
        "still_open": _("Still open"),
        "strike_because": _("Strike out, without a new value. Why?"),
        "strike_out": _("Strike out, without a new value"),
        "sum_amend": _("{label} {old} corrected to {value}"),
        "sum_answer": _("Answer to: {text}"),
        "sum_effect": _("{effect} grade {grade}"),
        "sum_effect_end": _("{effect} ended"),
        "sum_none": _("asked: no side effect"),
        "sum_strike": _("{label} {old} struck out"),
        "sum_syringe": _("New syringe {value} mg/mL"),
        "sum_undo": _("undo of the last entry"),
        "symptoms": _("Symptoms"),
        "syringe_help": _(
            "Another strength ends the running rate. Enter the rate the pump runs at now."
        ),
        "use_time": _("use this time"),
        "when_taken": _("When was this taken?"),
        "why": _("Why"),
    }
