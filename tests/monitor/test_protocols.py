"""A stored protocol carries everything it is judged by, for ever (ruling 17)."""

from __future__ import annotations

import json
import re
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from monitor.protocols import (
    PinnedVersion,
    VersionStatus,
    canonical_content,
    parse_protocol,
    seed_versions,
    with_schedule,
)


def seeds() -> list[PinnedVersion]:
    """The protocols that are ready to use."""
    return [version for version in library() if version.status is VersionStatus.APPROVED]


def library() -> list[PinnedVersion]:
    """Every packaged protocol, the templates too."""
    return [version for version in seed_versions() if version.kind == "protocol"]


@pytest.fixture
def other_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library whose schedules differ from the packaged ones."""
    packaged = resources.files("monitor.library")
    (tmp_path / "schedules.toml").write_text(
        packaged.joinpath("schedules.toml")
        .read_text("utf-8")
        .replace("every_min = 15", "every_min = 99"),
        "utf-8",
    )
    monkeypatch.setattr(resources, "files", lambda _: tmp_path)
    return tmp_path


def test_seeding_twice_gives_the_same_rows() -> None:
    assert list(seed_versions()) == list(seed_versions())
    assert len({version.id for version in seed_versions()}) == len(list(seed_versions()))


def test_the_library_has_every_plan_of_the_reference() -> None:
    plans = "P01 P02 P03 P04 P05 P06 P07 P10 P11 P12 P13 P14 P15 P16 P17 P18 P19 P21 P22 P23"
    assert [version.code for version in library()] == plans.split()
    assert [version.code for version in seeds()] == ["P02", "P17"]


@pytest.mark.parametrize("version", library(), ids=lambda version: version.code)
def test_the_stored_text_is_what_was_hashed(version: PinnedVersion) -> None:
    assert canonical_content(version.content()) == (version.text, version.sha256)
    assert (version.content()["code"], version.content()["version"]) == (version.code, 1)


@pytest.mark.parametrize("version", seeds(), ids=lambda version: version.code)
def test_a_protocol_that_is_ready_to_use_parses(version: PinnedVersion) -> None:
    protocol = version.protocol()
    assert (protocol.code, protocol.version) == (version.code, version.version)
    assert protocol.label == f"{version.code} v{version.version} {protocol.name}"
    assert protocol.steps[0].after_min == 0
    assert protocol.start_rate_mg_per_kg_h == protocol.steps[0].rate_mg_per_kg_h


@pytest.mark.parametrize("version", seeds(), ids=lambda version: version.code)
def test_an_old_session_keeps_the_schedule_it_ran_under(
    version: PinnedVersion, other_library: Path
) -> None:
    assert (other_library / "schedules.toml").exists()
    profile = version.protocol().schedule_profile
    assert 99 not in {interval.every_min for interval in profile.intervals}
    fresh = json.loads(version.text)
    del fresh["schedule_profile"]
    changed = parse_protocol(with_schedule(fresh)).schedule_profile
    assert 99 in {interval.every_min for interval in changed.intervals}


def test_content_without_its_schedules_numbers_is_not_a_stored_protocol() -> None:
    content: dict[str, Any] = json.loads(seeds()[0].text)
    del content["schedule_profile"]
    with pytest.raises(ValueError, match="does not carry its schedule's numbers"):
        parse_protocol(content)


def test_embedding_the_schedule_twice_changes_nothing() -> None:
    content = json.loads(seeds()[0].text)
    assert with_schedule(content) == content


def test_a_protocol_that_names_no_known_schedule_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match=r"There is no schedule “HOURLY”\. There is: DEP-40"):
        with_schedule({"code": "P99", "schedule": "HOURLY"})


def test_every_profile_begins_at_the_start_and_names_its_source() -> None:
    text = resources.files("monitor.library").joinpath("schedules.toml").read_text("utf-8")
    for profile in tomllib.loads(text)["profile"]:
        begins = [interval["from_min"] for interval in profile["intervals"]]
        assert begins == sorted(begins)
        assert begins[0] == 0
        assert re.search("guideline|sign-off", profile["source"])


def test_the_profiles_are_those_of_the_reference() -> None:
    profiles = {version.code: version.protocol().schedule_profile for version in seeds()}
    pain, dep = profiles["P02"], profiles["P17"]
    assert [(row.from_min, row.every_min) for row in pain.intervals] == [(0, 15), (60, 30)]
    assert (pain.after_increase_min, pain.recovery_every_min) == ((5, 15), 15)
    assert (pain.min_recovery_min, pain.min_from_start_min) == (60, None)
    assert [(row.from_min, row.every_min) for row in dep.intervals] == [(0, 10), (60, 15)]
    assert (dep.after_increase_min, dep.recovery_every_min) == ((), 15)
    assert (dep.min_recovery_min, dep.min_from_start_min) == (60, 120)
    assert (dep.high_rate.every_min, dep.high_rate.after_increase_min) == (5, (2, 5))
    assert (dep.high_rate.recovery_every_min, dep.high_rate.min_recovery_min) == (10, 90)
