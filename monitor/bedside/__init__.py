"""What the bedside screen is told, as JSON: once what does not change, and after every save the rest.

Only texts and numbers that were worked out here reach the browser; it decides nothing.
"""

from monitor.bedside.fixed import fixed_part
from monitor.bedside.proposals import preview, questions
from monitor.bedside.rows import EARLIER_ROWS, recent_rows
from monitor.bedside.state import state

__all__ = ["EARLIER_ROWS", "fixed_part", "preview", "questions", "recent_rows", "state"]
