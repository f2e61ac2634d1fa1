"""Invented history: patients, courses and sessions that look like a clinic's and are nobody's.

What is *drawn* at random: who comes, what is measured, when sets are taken, what people answer.
What is *calculated* from that, by the same code as for a real session: breaches, alerts and what
became of them, the summary.  Everything follows from the seed.
"""

from monitor.synthetic.alerts import record_alerts
from monitor.synthetic.people import Invented, Visit, visits
from monitor.synthetic.session import invent_session

__all__ = ["Invented", "Visit", "invent_session", "record_alerts", "visits"]
