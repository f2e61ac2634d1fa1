"""The threshold rules in vectors: the same answers as the readable evaluator, for millions of readings.

Two questions are asked of many readings at once.

*The history of a clinic* (history.py): what would a rule have said in 100,000 stored sessions?
For every sign the readings of all sessions lie one after the other in flat arrays::

    history = History(
        session=...,   # int32[n], 0 to sessions - 1, ascending
        at_us=...,     # int64[n], microseconds since the first dose, ascending within a session
        value=...,     # float64[n], canonical unit; NaN where the reading has no number
        baseline=...,  # float64[sessions]; NaN where there is none (clinical.md U-44)
    )
    episodes = find_history_breaches(rule, history, threshold_set)

``Episodes`` is a struct of arrays too: session, index of the first reading, onset, level, confirmed
level and time, end.  It says exactly what ``monitor.breaches.find_breaches`` says; where this module
cannot promise that, ``can_judge(rule)`` is false and ``find_history_breaches`` refuses.

*A device series* (device.py): samples about once a second, judged by how long a sign is outside::

    series = DeviceSeries(starts=..., at_us=..., value=..., baseline=..., good=...)
    episodes_of_each_rule = find_device_breaches(rules_of_one_sign, series, threshold_set)

It says exactly what ``monitor.device_breaches.find_device_breaches`` says.  A cuff pressure is no such
series, however a device repeats it: its readings are a ``History`` of that session.

Numbers are binary here and decimal there, and still nothing differs at an edge.  Converting a
decimal to the nearest float keeps order, and two decimals of at most 15 significant digits never
become the same float, so ``>=`` on floats answers as it does on the decimals.  Everything compared
here is short enough: readings have a few digits; a limit relative to baseline is multiplied out in
decimal, once for each different baseline, by the very code of the readable evaluator, and only the
result is converted.  A mean pressure (SBP + 2 x DBP) / 3 has no end in decimal, but it is either equal
to a limit of a few digits or a third of its last digit away from it.  Only a limit relative to a
baseline that is itself such a third would be decided by the last digits; see ``can_judge``.
"""

from monitor.series.device import DeviceEpisodes, DeviceSeries, find_device_breaches
from monitor.series.history import (
    NEVER,
    STATES,
    Episodes,
    History,
    can_judge,
    find_history_breaches,
    measures_needed,
)

__all__ = [
    "NEVER",
    "STATES",
    "DeviceEpisodes",
    "DeviceSeries",
    "Episodes",
    "History",
    "can_judge",
    "find_device_breaches",
    "find_history_breaches",
    "measures_needed",
]
