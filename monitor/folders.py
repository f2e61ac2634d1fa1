"""Session folders: one infusion session as a few small files a person can read and write.

The columns are described once (folder_format.py).  A folder is refused as a whole: every problem
is named with file, line and column, and nothing of it is stored.
"""

from monitor.folder_cells import parse_instant
from monitor.folder_format import FILES, HEADER, AlertAnswer, Column, SessionFolder, format_tables
from monitor.folder_reading import read_folder
from monitor.folder_writing import check_new_folder, csv_text, write_folder

__all__ = [
    "FILES",
    "HEADER",
    "AlertAnswer",
    "Column",
    "SessionFolder",
    "check_new_folder",
    "csv_text",
    "format_tables",
    "parse_instant",
    "read_folder",
    "write_folder",
]
