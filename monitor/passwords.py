"""Passwords and PINs: what may be chosen, and how they are kept (argon2id, RFC 9106)."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from monitor.errors import Problem

#: Lengths are counted in characters.  No composition rules: length is what helps.
MIN_PASSWORD_LENGTH = 12
MAX_PASSWORD_LENGTH = 200
MIN_PIN_LENGTH = 4
MAX_PIN_LENGTH = 8

#: Three passes over 64 MiB, four lanes: the second recommendation of RFC 9106, about 0.1 s.
_HASHER = PasswordHasher()


def password_problems(password: str, *, username: str = "") -> tuple[Problem, ...]:
    """What is wrong with a new password; empty when it may be used."""
    problems = []
    if len(password) < MIN_PASSWORD_LENGTH:
        problems.append(
            f"The password is too short: use at least {MIN_PASSWORD_LENGTH} characters, "
            "for example four words."
        )
    if len(password) > MAX_PASSWORD_LENGTH:
        problems.append(f"The password is longer than {MAX_PASSWORD_LENGTH} characters.")
    if password and len(set(password.casefold())) < 5:
        problems.append("The password repeats too few characters.")
    if username and username.casefold() in password.casefold():
        problems.append("The password contains the user name. Choose another.")
    return tuple(Problem("password", text) for text in problems)


def pin_problems(pin: str) -> tuple[Problem, ...]:
    """What is wrong with a new PIN; empty when it may be used.

    A PIN only unlocks a device somebody has signed in on, a few tries at a time.
    """
    if not (pin.isascii() and pin.isdigit() and MIN_PIN_LENGTH <= len(pin) <= MAX_PIN_LENGTH):
        return (Problem("pin", f"A PIN has {MIN_PIN_LENGTH} to {MAX_PIN_LENGTH} digits."),)
    steps = {int(b) - int(a) for a, b in pairwise(pin)}
    if steps in ({0}, {1}, {-1}):
        return (Problem("pin", "Choose a PIN that is not one digit repeated or a run like 1234."),)
    return ()


def hash_secret(secret: str) -> str:
    """The argon2id hash of a password or PIN, with its own salt and parameters in the text."""
    return _HASHER.hash(secret)


@cache
def _nobodys_hash() -> str:
    return _HASHER.hash("the password of nobody")


def verify_secret(stored_hash: str | None, secret: str) -> bool:
    """Whether the secret is the one that was hashed.

    With no hash (an unknown account) the same work is done and the answer is False, so that the
    time of an answer does not tell which names exist.
    """
    try:
        matches = _HASHER.verify(stored_hash or _nobodys_hash(), secret)
    except (VerificationError, InvalidHashError):
        return False
    return matches and stored_hash is not None


def needs_rehash(stored_hash: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _HASHER.check_needs_rehash(stored_hash)
