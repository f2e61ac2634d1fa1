"""What may be a password or a PIN, and how it is kept."""

from __future__ import annotations

import pytest

from monitor import passwords
from monitor.passwords import hash_secret, needs_rehash, password_problems, pin_problems


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("", "too short"),
        ("elevenchars", "too short"),
        ("aaaaaaaaaaaa", "repeats"),
        ("abcdabcdabcd", "repeats"),
        ("my blum password", "user name"),
        ("MY BLUM PASSWORD", "user name"),
        ("x1y2z3w4" * 26, "longer than 200"),
    ],
)
def test_a_weak_password_is_refused_in_words(password: str, said: str) -> None:
    assert said in " ".join(str(item) for item in password_problems(password, username="blum"))


@pytest.mark.parametrize(
    "password", ["twelve chars", "四つの言葉を並べた合言葉です", "x1y2z3w4" * 25]
)
def test_any_long_password_will_do(password: str) -> None:
    assert password_problems(password, username="blum") == ()


@pytest.mark.parametrize("pin", ["", "123", "123456789", "12a4", "１２４８", " 2846", "-284"])
def test_a_pin_is_four_to_eight_digits(pin: str) -> None:
    [problem] = pin_problems(pin)
    assert "4 to 8 digits" in problem.message


@pytest.mark.parametrize("pin", ["0000", "1234", "8765", "55555555"])
def test_a_pin_everybody_tries_first_is_refused(pin: str) -> None:
    [problem] = pin_problems(pin)
    assert "Choose a PIN" in problem.message


@pytest.mark.parametrize("pin", ["2580", "1243", "90210817"])
def test_other_pins_will_do(pin: str) -> None:
    assert pin_problems(pin) == ()


def test_only_the_same_secret_matches_its_hash() -> None:
    stored = hash_secret("correct horse battery")
    assert passwords.verify_secret(stored, "correct horse battery")
    assert not passwords.verify_secret(stored, "correct horse batterz")
    assert not passwords.verify_secret(stored, "")


def test_hashing_twice_gives_two_hashes_without_the_secret() -> None:
    first, second = hash_secret("2846"), hash_secret("2846")
    assert first != second
    assert first.startswith("$argon2id$")


def test_nobody_has_no_password() -> None:
    assert not passwords.verify_secret(None, "the password of nobody")


def test_a_damaged_hash_matches_nothing() -> None:
    assert not passwords.verify_secret("not a hash", "x")


def test_a_hash_with_weaker_parameters_wants_to_be_made_anew() -> None:
    assert not needs_rehash(hash_secret("2846"))
    weaker = "$argon2id$v=19$m=8192,t=1,p=1$c29tZXNhbHRzb21l$RHRrMfUD3jvXJ2bK2bkSQ0R2Jq4BqFZ9"
    assert needs_rehash(weaker)
