"""What people type wrongly, command by command: told what to mend, with the right status, and nothing is lost by it."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import upheld
from tests.trial_home import at
from upheld import cli
from upheld.policy.starter import Answers, first_policy

DRAFT = Answers(
    name="Example Clinic", policy="clinic", site="clinic.example.org", phone="02-000-0001", today=date(2024, 1, 1),
    service="care", people="patient", items=("name", "mobile"), law="kr",
)  # fmt: skip
FILES = {
    "bad.yaml": "upheld: 1\npolicy: x\n  oops: [\n",
    "empty.yaml": "",
    "list.yaml": "- a\n- b\n",
    "text.txt": "hello",
    "cert.json": "{}",
    "other.yaml": first_policy(DRAFT).replace("policy: clinic", "policy: other"),
    "registers.yaml": "registers: [host-1]\n",
    "hosts.yaml": "registers: {hosts: [h1]}\n",
    "nobody.yaml": "roles: {nobody: {shown: [reason]}}\n",
    "unapproved.yaml": "roles: {staff: {shown: reason}}\n",
    "kind.yaml": "evidence: {antivirus: {kind: nonsense}}\n",
    "rows.yaml": "contracts: {mailer: signed}\n",
    "lost.cases.yaml": "policy: nowhere.yaml\ncases: []\n",
    "verb.cases.yaml": "policy: clinic.yaml\ncases:\n  - {case: a, clauses: [P-9], given: {2026-11-10: [{entr: x}]}}\n",
    "sheet.yaml": "fact: sale\n",
    "providers.yaml": "a: b\n",
}
NEW = "new --name A --policy a --site a --phone 1 --service b --law kr"
MISTAKES = f"""
check nofile.yaml | 2 | does not exist
check bad.yaml | 1 | bad.yaml:3:7 yaml-unreadable
check empty.yaml | 1 | Begin with `upheld: 1`
check list.yaml | 1 | not-a-policy
check clinic.yaml --law kr | 2 | kr@2026-11-22
check clinic.yaml --law fr@2026-01-01 | 2 | there is `kr`, `eu`
check clinic.yaml --law kr@1990-01-01 | 2 | reaches back to
check clinic.yaml --format html | 2 | 'text', 'json'
check bad.yaml --record | 1 | nothing is recorded
diff clinic.yaml | 2 | new
diff clinic.yaml bad.yaml | 1 | yaml-unreadable
diff clinic.yaml other.yaml | 1 | two policies
diff clinic.yaml clinic.yaml --locale xx | 2 | --locale
notice bad.yaml | 1 | yaml-unreadable
notice clinic.yaml --locale fr | 1 | it has ko, en
notice clinic.yaml other.yaml --out no1 | 1 | of one policy
notice clinic.yaml --format md --out text.txt | 1 | text.txt
explain clinic.yaml | 2 | what
explain clinic.yaml mobil | 1 | near it: mobile
explain clinic.yaml xyzzy | 1 | an element's name
explain clinic.yaml name --law kr@x | 2 | kr@2026-11-22
export clinic.yaml | 2 | --format
export clinic.yaml --format csv | 2 | ropa
export clinic.yaml --format ropa --locale xx | 2 | --locale
new | 2 | there is no terminal to ask on
{NEW.replace("--policy a", "--policy 'My Shop'")} | 2 | such as `web-shop`
{NEW} --out clinic.yaml | 2 | nothing was written
{NEW} --law us | 2 | kr, eu
{NEW} --time-zone Nowhere | 2 | Europe/Paris
{NEW} --today 1.2.2026 | 2 | 2026-11-22
{NEW} --item name --item name | 2 | each once
{NEW} --out nodir/a.yaml | 1 | nodir/a.yaml
test | 2 | files
test lost.cases.yaml | 1 | nowhere.yaml
test verb.cases.yaml | 1 | Perhaps `enter`
test clinic.yaml | 1 | Cases stand in a file of their own
simulate clinic.yaml --home home | 1 | not empty
simulate clinic.yaml --home s1 --people 0 | 2 | --people
simulate bad.yaml --home s2 | 1 | yaml-unreadable
init | 2 | --home
init --home home | 1 | is a home already
init --home h2 --look-up mobile | 2 | POLICY/ITEM
init --home h3 --database mysql://x | 2 | postgresql://
init --home h4 --separated postgresql:///x | 2 | --database
init --home h5 --copies-kept 30 | 2 | P6M
init --home text.txt | 1 | text.txt
upgrade --home nohome | 1 | upheld init --home nohome
backup --home home --to home | 1 | a folder of its own
backup --home home --to b1 --only nothing | 2 | active, separated
backup --home nohome --to b1 | 1 | upheld init
doctor --home nohome | 1 | upheld init
doctor --home text.txt | 1 | upheld init
rotate-keys --home nohome | 1 | upheld init
grants --home home | 2 | lies in files
distribute --home home | 2 | lies in files
distribute --citus --home nohome | 1 | upheld init
prepare clinic.yaml --home nohome | 1 | upheld init
prepare bad.yaml --home home | 1 | yaml-unreadable
prepare clinic.yaml --home home --with nofile.yaml | 2 | does not exist
prepare clinic.yaml --home home --with bad.yaml | 1 | is no YAML
prepare clinic.yaml --home home --with list.yaml | 1 | contracts, registers, roles, evidence
prepare clinic.yaml --home home --with registers.yaml | 1 | table of kinds
prepare clinic.yaml --home home --with hosts.yaml | 1 | no register `hosts`
prepare clinic.yaml --home home --with nobody.yaml | 1 | it has: staff, office
prepare clinic.yaml --home home --with unapproved.yaml | 1 | Write `shown` with approver
prepare clinic.yaml --home home --with kind.yaml | 1 | signature-update
prepare clinic.yaml --home home --with rows.yaml | 1 | table or empty
publish clinic.yaml | 2 | --home
publish clinic.yaml --home home | 1 | version-on-file
publish bad.yaml --home home | 1 | yaml-unreadable
publish other.yaml --home home --as-of 2024-01-08 | 1 | evidence
publish other.yaml --home home --as-of 8.1.2024 --evidence a | 2 | 2026-11-22
versions --home nohome | 1 | upheld init
versions --home home --policy other | 1 | clinic
versions --home home --locale xx | 2 | --locale
sweep | 2 | --home
sweep --home nohome | 1 | upheld init
seal --home nohome | 1 | upheld init
prune --home home --kept-for 1 | 2 | P6M
prune --home home --kept-for P1M | 2 | too short
prune --home home --policy x | 1 | clinic
recover --home nohome | 1 | upheld init
recover --home home --anchor nofile | 1 | nofile
recover --home home --anchor text.txt | 1 | no signed note
recover --home home --document bad.yaml | 1 | bad.yaml:3:7
serve --home nohome | 1 | upheld init
serve --home home --port 99999 | 2 | --port
serve --home home --address privacy.example.org | 1 | https://
serve --home home --address https://privacy.example.org | 1 | --behind-proxy
serve --home home --host 0.0.0.0 | 1 | from other machines
serve --home home --tls-certificate text.txt --tls-key text.txt --address https://a.example.org | 1 | text.txt
serve --home home --tls-certificate text.txt | 1 | needs both
serve --home home --reach mobile | 2 | POLICY/ITEM
serve --home home --sign-in providers.yaml | 1 | the file of providers
serve --home home --mail nowhere --mail-from a@example.org | 1 | HOST:PORT
work --home nohome | 1 | upheld init
work --home home --mail x | 1 | HOST:PORT
account add --home home --name x | 1 | 3 to 64
account add --home home --name second --duty nothing | 1 | staff, office
account add --home home --name second --duty staff | 1 | reason
account add --home home --policy nope --name second | 1 | clinic
account reset --home home --name nobody | 1 | no account of that name
account close --home home --name nobody | 1 | no account of that name
account bind --home home --name nobody --provider x --identity y | 1 | no account of that name
account unbind --home home --name nobody --provider x | 1 | no account of that name
account list --home home --policy nope | 1 | clinic
application add --home home --name x1 --duty read --purpose nothing | 1 | service
application add --home home --name x1 --duty dance | 2 | 'collect'
application add --home home --name X --duty read | 1 | small letters
application rotate --home home --name nobody | 1 | no program of that name
application close --home home --name nobody | 1 | no program of that name
application list --home nohome | 1 | upheld init
merger open sheet.yaml --home home | 1 | `effective` is missing
merger open bad.yaml --home home | 1 | no YAML
merger open nofile --home home | 2 | does not exist
merger state --home home --policy nope | 1 | clinic
merger tell nocase --home home | 1 | no case of merger
merger post nocase board text.txt --home home | 1 | no case of merger
merger down noposting --home home | 1 | no such posting
merger printed nocase paper text.txt --home home | 1 | no case of merger
merger refused nocase nobody --home home | 2 | --channel
merger refused nocase nobody --home home --channel website | 1 | no such subject
merger hand-over nocase --home home --out ho | 1 | no case of merger
merger close nocase --home home | 1 | no case of merger
verify --home nohome | 1 | no ledger at nohome
verify --home text.txt | 1 | is no ledger
verify --home home --public-key text.txt | 1 | PEM
verify --home home --anchor text.txt | 1 | no signed note
verify --home home --certificate cert.json | 1 | no certificate of destruction
verify --home home --certificate nofile | 1 | nofile
certificate nothing --home home | 1 | no certificate has this id
certificate --home home --format text | 2 | 'json', 'html'
certificate --home nohome | 1 | upheld init
receipt --home home | 2 | --subject
receipt --home home --subject nobody --address a --email b --page c | 1 | no such subject
audit --home nohome | 1 | upheld init
audit --home home --from 2026-12-01 --to 2026-01-01 | 1 | span
audit --home home --from yesterday | 2 | 2026-11-22
audit --home home --version 2020-01-01 | 1 | there are: 2024-01-08
attest nothing --home home | 1 | not shown by anybody's word
attest safeguards.records --home home | 1 | what is done
attest --home home | 2 | element
"""


def parsed(line: str) -> tuple[str, int, str]:
    command, status, words = (part.strip() for part in line.split(" | "))
    return command, int(status), words


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files that are wrong in one way each, and of a home with one policy in force."""
    made = tmp_path_factory.mktemp("mistakes")
    (made / "clinic.yaml").write_text(first_policy(DRAFT), "utf-8")
    for name, text in FILES.items():
        (made / name).write_text(text, "utf-8")
    clock = upheld.SetClock(at("2024-02-01"))
    with closing(upheld.open(made / "home", upheld.Options(clock=clock, light_hashing=True))) as keeper:
        keeper.publish(made / "clinic.yaml", as_of=date(2024, 1, 8), evidence="letter")
        keeper.seal()
    return made


def kept(folder: Path) -> dict[str, str]:
    """Everything beside the home, by its digest."""
    files = [one for one in folder.rglob("*") if one.is_file() and "home" not in one.relative_to(folder).parts[0]]
    return {str(one.relative_to(folder)): hashlib.sha256(one.read_bytes()).hexdigest() for one in files}


@pytest.mark.parametrize("line", MISTAKES.strip().splitlines())
def test_a_mistake_is_told_with_what_mends_it_and_costs_nothing(
    line: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command, status, words = parsed(line)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "400")
    before = kept(folder)
    done = CliRunner().invoke(cli.app, shlex.split(command))
    told = done.output + ("" if isinstance(done.exception, SystemExit) else str(done.exception))
    assert done.exception is None or isinstance(done.exception, (SystemExit, OSError, *cli.TOLD)), done.exc_info
    assert (done.exit_code, words in " ".join(told.split())) == (status, True), told
    assert {name: digest for name, digest in kept(folder).items() if name in before} == before


def test_every_command_has_mistakes_of_its_own() -> None:
    def named(group: object, path: str = "") -> Iterator[str]:
        found = getattr(group, "commands", None)
        if found is None:
            yield path
            return
        for name, one in found.items():
            yield from named(one, f"{path} {name}".strip())

    lines = [parsed(one)[0] for one in MISTAKES.strip().splitlines()]
    tried = {name: [one for one in lines if one.startswith(name)] for name in named(typer.main.get_command(cli.app))}
    assert {name for name, found in tried.items() if not found} == {"schema"}  # takes nothing
