"""Pages: functions handed a store and a user.  No script lies here but shell.py."""
