"""The command line as an officer and an auditor use it, where no other module tells its story."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.trial_home import POLICY, furnished, opened
from upheld import cli
from upheld.policy.read import read_policy


@pytest.fixture
def home(tmp_path: Path) -> Path:
    furnished(tmp_path / "home")
    with opened(tmp_path / "home") as house:
        house.keeper.sweep()
        house.keeper.seal()
    return tmp_path / "home"


def run(*arguments: object, status: int = 0) -> str:
    answer = CliRunner().invoke(cli.app, [str(one) for one in arguments])
    assert answer.exit_code == status, answer.output
    return answer.output or str(answer.exception)


def test_an_auditor_draws_cases_at_random_and_the_same_ones_again(home: Path) -> None:
    plain = run("audit", "--home", home)
    drawn = [run("audit", "--home", home, "--sample", 1, "--seed", seed) for seed in (1, 1, 2, 3, 4)]
    assert len(drawn[0]) > len(plain)
    assert drawn[0].splitlines()[3:] == drawn[1].splitlines()[3:]
    assert len({tuple(one.splitlines()[3:]) for one in drawn}) > 1, "every seed draws the same case"


def test_the_report_of_a_version_that_is_not_on_file_is_refused(home: Path) -> None:
    assert "1999-01-01" in run("audit", "--home", home, "--version", "1999-01-01", status=1)


def test_what_acts_show_is_not_taken_on_anybodys_word(home: Path) -> None:
    refused = run("attest", "--home", home, "purposes.required.service", status=1)
    assert "is not shown by anybody's word" in refused


def test_what_no_act_shows_goes_on_record_with_the_digest_of_its_proof(home: Path, tmp_path: Path) -> None:
    proof = tmp_path / "inspection.txt"
    proof.write_bytes(b"inspected")
    refused = run("attest", "--home", home, "purposes.required.service", status=1)
    sections = refused.rpartition(": ")[2].split(", ")
    document = read_policy(POLICY.encode(), "trial.yaml")
    element = next(row.path for row in document.rows() if row.path.split(".")[0] in sections)
    assert f"on record: {element}" in run("attest", "--home", home, "--record", proof, element)


def test_a_certificate_that_was_written_in_is_named_and_the_others_are_still_checked(
    home: Path, tmp_path: Path
) -> None:
    with opened(home) as house:
        true, other = (house.keeper.certificate(one) for one in house.keeper.certificates("trial")[:2])
    (tmp_path / "true.json").write_bytes(true)
    (tmp_path / "false.json").write_bytes(other.replace(b"destroyed", b"forgotten"))
    assert other.replace(b"destroyed", b"forgotten") != other
    key = ("--public-key", home / "public.pem")
    assert "holds, entry" in run("verify", "--home", home, *key, "--certificate", tmp_path / "true.json")
    given = ("--certificate", tmp_path / "false.json", "--certificate", tmp_path / "true.json")
    said = run("verify", "--home", home, *key, *given, status=1)
    assert f"REFUSED {tmp_path / 'false.json'}: the signature is false" in said
    assert "holds, entry" in said
    assert "the ledger holds\nREFUSED: 1 of 2 certificates\n" in said
