"""What the bedside screen is told, as JSON: once what does not change, and after every save the rest.

Only texts and numbers that were worked out here reach the browser; it decides nothing.
"""

from monitor.bedside.fixed import fixed_part
from monitor.bedside.proposals import preview, questions
from monitor.bedside.rows import EARLIER_ROWS, recent_rows
from monitor.bedside.state import state
from monitor.bedside.syringe import syringe_preview
from monitor.bedside.weighing import weight_preview

__all__ = [
    "EARLIER_ROWS",
    "fixed_part",
    "preview",
    "questions",
    "recent_rows",
    "state",
    "syringe_preview",
    "weight_preview",
]
