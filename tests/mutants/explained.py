"""Slips that no test can tell from the original, each with the reason why: ``equivalent.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, order=True)
class Slip:
    """One change of one place of a module; ``where`` is the function, method or class it is in."""

    module: str
    where: str
    was: str
    becomes: str

    @classmethod
    def of_lines(cls, module: str, where: str, lines: Iterable[str]) -> Slip:
        """From the lines of a difference; how far they are indented is no part of it."""
        changed = [line for line in lines if line[:1] in "+-" and line[1:].strip()]
        was = "\n".join(line[1:].strip() for line in changed if line[0] == "-")
        becomes = "\n".join(line[1:].strip() for line in changed if line[0] == "+")
        return cls(module, where, was, becomes)

    def __str__(self) -> str:
        was, becomes = (text.replace("\n", "\n    ") for text in (self.was, self.becomes))
        return f"{self.module}.{self.where}\n  - {was}\n  + {becomes}"


def explanations() -> dict[Slip, str]:
    """Every slip that is explained, and why no test can tell it from the original."""
    text = Path(__file__).with_name("equivalent.toml").read_text("utf-8")
    return {
        Slip(row["module"], row["where"], row["was"], becomes): row["why"]
        for row in tomllib.loads(text).get("equivalent", [])
        for becomes in row["becomes"]
    }
