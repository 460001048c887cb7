#!/usr/bin/env bash
# The spine shown part by part: each with one command and the last line that it prints. `make eleven`; about four minutes.
# Ends with 1 when any of them fails.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bin=.venv/bin
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
failed=0

show() {  # NUMBER, PART, EXPECTED STATUS, COMMAND...
  local number=$1 part=$2 expected=$3
  shift 3
  echo "## $number $part: $*"
  "$@" >"$room/said" 2>&1
  local status=$?
  grep -v '^[[:space:]]*$' "$room/said" | tail -n 1
  if [ "$status" -ne "$expected" ]; then
    echo "   ended with $status instead of $expected"
    failed=1
  fi
}

show 1 'the house' 0 "$bin/ruff" check .
show 1 'the direction of imports' 0 "$bin/lint-imports" --no-logo
show 2 'a document that is refused whole' 1 "$bin/upheld" check tests/documents/bad/alias.yaml
show 2 'five documents' 0 "$bin/upheld" check policies/bizmeka-ez-2016.yaml policies/bizmeka-ez-2018.yaml \
  policies/nexr-2017.yaml policies/kt-enterprise-2022.yaml policies/kt-mns-2018.yaml
show 3 'every clause is carried' 0 "$bin/python" tools/clauses.py
show 4 'the engine and its reference' 0 "$bin/python" -m pytest -q tests/test_machine.py
show 5 'the stores: killed, scrubbed, recovered' 0 "$bin/python" -m pytest -q tests/test_crash.py tests/test_scrub.py
show 6 'the keeper' 0 "$bin/python" -m pytest -q tests/test_life.py tests/test_keeper.py tests/test_on_record.py
show 9 'a simulation' 0 "$bin/upheld" simulate policies/nexr-2017.yaml --people 100 --years 3 --seed 5 --home "$room/home"
show 7 'the ledger' 0 "$bin/upheld" verify --home "$room/home"
show 8 'the clause report' 0 bash -o pipefail -c "$bin/upheld audit --home $room/home | sed -n 2p"
show 10 'the cases' 0 "$bin/upheld" test policies/bizmeka-ez-2016.cases.yaml policies/bizmeka-ez-2018.cases.yaml \
  policies/nexr-2017.cases.yaml policies/kt-enterprise-2022.cases.yaml policies/kt-mns-2018.cases.yaml
show 11 'the demonstration' 0 "$bin/python" -m upheld.demonstration --people 20 --years 2 --home "$room/run"
exit "$failed"
