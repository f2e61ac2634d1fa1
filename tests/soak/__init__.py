"""The fault run: a real server, a real browser, faults at any step of an entry, then the record.

Nothing acknowledged may be lost and nothing may be doubled (design.md 10).  ``make soak`` runs
1,000 faults and goes on where it was stopped; ``tests/browser/test_faults.py`` runs 30 of them.
"""
