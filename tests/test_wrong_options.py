"""Whatever is written wrongly on the command line: which option, what was given, what to write instead; status 2."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from upheld.cli import app
from upheld.law import PACKS, Tables

POLICY = "policies/nexr-2017.yaml"
WRONG = {
    "a word for a number": (
        ["simulate", POLICY, "--home", "h", "--years", "two"],
        "upheld simulate: --years was given `two`; write a whole number, such as 3 (see `upheld simulate --help`)",
    ),
    "half a person": (
        ["simulate", POLICY, "--home", "h", "--people", "1.5"],
        "upheld simulate: --people was given `1.5`; write a whole number, such as 3 (see `upheld simulate --help`)",
    ),
    "too small a number": (
        ["simulate", POLICY, "--home", "h", "--people", "0"],
        "upheld simulate: --people was given `0`; write 1 or more (see `upheld simulate --help`)",
    ),
    "a port that no machine has": (
        ["serve", "--home", "h", "--port", "99999"],
        "upheld serve: --port was given `99999`; write 65535 or less (see `upheld serve --help`)",
    ),
    "a format that there is not": (
        ["notice", POLICY, "--format", "docx"],
        "upheld notice: --format: 'docx' is not one of 'html', 'md', 'pdf' (see `upheld notice --help`)",
    ),
    "an option that is not there": (
        ["simulate", POLICY, "--yeers", "2"],
        "upheld simulate: there is no option --yeers; perhaps --seed or --years is meant "
        "(see `upheld simulate --help`)",
    ),
    "nothing where something is needed": (
        ["check"],
        "upheld check: `files` is missing; it has to be given (see `upheld check --help`)",
    ),
    "a file that is not there": (
        ["check", "nofile.yaml"],
        "upheld check: `files`: file 'nofile.yaml' does not exist (see `upheld check --help`)",
    ),
    "a command by the name it has elsewhere": (
        ["report"],
        "upheld: no such command 'report': `upheld audit` gives the clause report (see `upheld --help`)",
    ),
    "one person, who is nobody's business on a command line": (
        ["erase"],
        "upheld: no such command 'erase': what is done with one person's data is done at the desk (`upheld serve`), "
        "by the API or in Python (see `upheld --help`)",
    ),
    "a command that is not there": (
        ["account", "ad"],
        "upheld account: no such command 'ad'. Did you mean 'add'? (see `upheld account --help`)",
    ),
    "two words that are no item": (
        ["init", "--home", "h", "--look-up", "trial", "--look-up", "trial/email", "--look-up", "/phone"],
        "upheld init: --look-up: `trial`, `/phone` lack one of the two: write POLICY/ITEM (see `upheld init --help`)",
    ),
    "two places that there are not": (
        ["backup", "--home", "h", "--to", "t", "--only", "books", "--only", "keys", "--only", "accounts"],
        "upheld backup: --only: `accounts`, `books` are no places; there are: active, separated, keys, ledger "
        "(see `upheld backup --help`)",
    ),
    "two items that are no codes": (
        [
            "new",
            "--policy",
            "shop",
            "--name",
            "Shop",
            "--site",
            "https://shop.example.org",
            "--phone",
            "1",
            "--service",
            "shop",
            "--law",
            "kr",
            "--item",
            "Name",
            "--item",
            "e mail",
        ],
        "upheld new: --policy or --item: `Name`, `e mail` are no codes; write small letters, digits and hyphens, such "
        "as `web-shop` (see `upheld new --help`)",
    ),
    "two addresses of another kind": (
        ["init", "--home", "h", "--database", "mysql://a@b/c", "--keys", "file:keys"],
        "upheld init: --database and --keys: write postgresql://USER@HOST/NAME; there is no other kind "
        "(see `upheld init --help`)",
    ),
    "neither a country nor a day": (
        ["check", POLICY, "--law", "zz@2026-13-01"],
        "upheld check: --law: `zz@2026-13-01` is no law of a day; write `kr@2026-11-22`. There is no table of law for "
        "`zz`; there is `kr`, `eu`. Name yours with --tables (see `upheld check --help`)",
    ),
    "a mistake that we found ourselves": (
        ["init", "--home", "h", "--separated", "postgresql://a@b/c"],
        "upheld init: give --database too: a home lies on one kind of database (see `upheld init --help`)",
    ),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_a_mistake_on_the_command_line_names_the_option_what_was_given_and_the_remedy(
    mistake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("upheld.law.TABLES", Tables(PACKS))  # another test may have read one more from a file
    arguments, told = WRONG[mistake]
    answer = CliRunner().invoke(app, arguments, prog_name="upheld")
    assert (answer.exit_code, answer.stderr) == (2, told + "\n")
    assert answer.stdout == ""


def test_to_say_nothing_is_no_mistake_and_shows_what_there_is() -> None:
    answer = CliRunner().invoke(app, ["account"], prog_name="upheld")
    assert "Commands" in answer.output
    assert "see `upheld" not in answer.output
