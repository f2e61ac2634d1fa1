"""The infusion session monitor: facts, rules and what people do with them.

Ring 1 (record, parameters, dosing, thresholds, breaches, alerts, schedule, scales, ...) is the
domain and uses the standard library only.  Ring 2 (store, actions) is what people do.  Ring 3
(frames, charts, export, summaries) presents without Streamlit.  tests/test_architecture.py holds
the direction of the imports.
"""
