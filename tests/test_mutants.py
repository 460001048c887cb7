"""Planted faults, one token each: every one must be noticed by the test that is named for it.

A copy of the source gets the fault; a child process runs the named tests on that copy. A fault that survives means
that the tests are too weak, never that the fault is harmless.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MACHINE = "tests/test_machine.py::test_keeper_and_reference_live_alike"
SUBSCRIBERS, USERS, CUSTOMERS = f"{MACHINE}[Bizmeka]", f"{MACHINE}[Nexr]", f"{MACHINE}[KtMns]"
SINCE_2016, READERS = f"{MACHINE}[BizmekaSince2016]", f"{MACHINE}[KtEnterprise]"
LIVES = "tests/test_lifecycle.py"
ACTS = "tests/test_decide.py"
FACTS = "tests/test_facts.py"
DATES = "tests/test_dates.py"
LOOKS = "tests/test_reviewing.py"
ASKS = "tests/test_asking.py"
LIVES_ENOUGH = "250"


@dataclass(frozen=True)
class Fault:
    """One token that is wrong: `old` stands once in `file`, and `caught_by` fails when it is `new`."""

    name: str
    file: str
    old: str
    new: str
    caught_by: str


LIFECYCLE, COMPILE, COUNTRY = "engine/lifecycle.py", "engine/compile.py", "engine/country.py"
VIEW, LAYERS, COLLECTING = "engine/view.py", "engine/layers.py", "engine/collecting.py"
READING, GIVING, LATE = "engine/reading.py", "engine/giving.py", "keeper/late.py"
REVIEWS, PROVING = "engine/reviews.py", "engine/proving.py"
BINDING, PUBLISHING, ELSEWHERE = "keeper/binding.py", "keeper/publishing.py", "keeper/elsewhere.py"
AFRESH = "tests/test_read_afresh.py"
AT_ONCE = "tests/test_at_once.py::test_"
FORGETTING = "tests/test_forgetting.py"
UNASKED, PUBLISHED, COPIES = "tests/test_unasked.py", "tests/test_publish.py", "tests/test_copies.py"
COUNTRIES = "tests/test_country.py"
PAPERS, TELLING, ACTING, REVIEWING = "keeper/papers.py", "keeper/telling.py", "keeper/acting.py", "keeper/reviewing.py"
VERIFY, CHECKPOINT, MERKLE = "ledger/verify.py", "ledger/checkpoint.py", "ledger/merkle.py"
FILED, TOLD, SHOWN = "tests/test_papers.py", "tests/test_telling.py", "tests/test_audit_breaches.py"
VERIFIED, PROOFS, JOURNALS = (
    "tests/test_ledger_verify.py",
    "tests/test_ledger_merkle.py",
    "tests/test_ledger_journal.py",
)
SEEING, TOGETHER, IN_LOOPS = "keeper/seeing.py", "tests/test_meanwhile.py", "tests/test_aio.py"
ROTATED = "tests/test_key_rotation.py::test_"
SWEPT_ON = f"{ROTATED}a_sweep_in_the_middle_of_which_every_place_names_another_key_goes_on"
NEXT_KEY = f"{ROTATED}on_a_server_whatever_comes_first_after_an_exchange_is_done_with_the_next_key"
ANEW = "tests/test_tokens_anew.py::test_"
OPEN_BEFORE = f"{ANEW}a_process_that_was_open_before_finds_whom_others_take_in_at_each_step"
BELOW = (
    # the root of look-up tokens
    Fault(
        "nobody-is-told-of-another-root",
        "store/token_rotation.py",
        "self._tell()",
        "self._tell",
        f"{OPEN_BEFORE}[_exchange]",
    ),
    Fault(
        "who-looks-does-not-ask-by-which-root",
        "store/vault.py",
        "else FIRST) == roots.named",
        "else FIRST) != b'none'",
        f"{OPEN_BEFORE}[_old_go]",
    ),
    Fault(
        "a-token-comes-back-without-its-key",
        "store/token_rotation.py",
        "for key_id in sorted(there)",
        "for key_id in sorted(rows)",
        f"{ANEW}who_is_erased_meanwhile_does_not_come_back[a sweep]",
    ),
    Fault(
        "an-old-key-store-keeps-a-root-that-is-gone",
        "keeper/recovering.py",
        "if begun or any(",
        "if begun and any(",
        f"{ANEW}a_key_store_from_before_or_amid_a_rotation_is_brought_up_to_date[None]",
    ),
    Fault(
        "a-ring-forgets-the-second-root",
        "store/rotation.py",
        "LIKE '{tier.value}-%'",
        "LIKE '{tier.value}-token'",
        f"{ANEW}a_root_that_lies_in_the_key_store_opens_under_the_ring_of_now",
    ),
    # the key of the journals
    Fault(
        "a-key-that-is-gone-is-taken-still",
        "store/journal_keys.py",
        "self._gone.update(",
        "set().update(",
        f"{ROTATED}who_knows_the_old_key_can_forge_nothing_after_it_even_for_who_still_has_it_in_memory",
    ),
    Fault(
        "on-a-server-nobody-proves-the-key",
        "store/journal.py",
        "key = 'mac-key'), '') =",
        "key = 'no-key'), '') =",
        NEXT_KEY,
    ),
    Fault("who-is-late-is-not-helped", "store/place.py", "except KeyMoved:", "except KeyError:", NEXT_KEY),
    Fault("who-sweeps-is-not-helped", "keeper/moving.py", "suppress(KeyMoved)", "suppress(KeyError)", SWEPT_ON),
    Fault(
        "an-exchange-is-not-on-record",
        "store/sealing.py",
        "(self._connection) == marks",
        "(self._connection) != marks",
        f"{ROTATED}what_waits_is_guarded_by_the_next_key_and_the_old_one_is_not_needed",
    ),
    Fault(
        "a-begun-exchange-is-not-told",
        "store/journal_keys.py",
        "len(found) > 1",
        "len(found) > 2",
        f"{ROTATED}until_the_old_key_is_gone_both_are_taken",
    ),
    Fault(
        "an-old-place-names-a-key-that-is-gone",
        "keeper/recovering.py",
        "if not keys.holds",
        "if keys.holds",
        f"{ROTATED}a_place_from_before_names_the_key_of_now_once_it_is_recovered",
    ),
    Fault(
        "only-a-key-that-is-here-lets-in",
        "store/journal_keys.py",
        "elif before in",
        "elif after in",
        f"{ROTATED}who_has_only_the_old_key_is_refused_with_what_to_do",
    ),
    Fault(
        "what-comes-with-the-beginning-is-not-heeded",
        "store/place.py",
        "and came(transaction.named)",
        "and False",
        NEXT_KEY,
    ),
    Fault(
        "a-mark-is-not-looked-at",
        VERIFY,
        "_mac_keys.get(header.mark)",
        '_mac_keys.get(b"")',
        f"{ROTATED}a_batch_that_says_another_key_than_guards_it_is_false_where_the_house_verifies",
    ),
    # the ledger
    Fault("two-checkpoints-of-one-size", VERIFY, "checkpoint.size <= size:", "checkpoint.size < size:", VERIFIED),
    Fault(
        "the-ends-of-streams-are-not-compared",
        VERIFY,
        "elif not self._problems and checkpoint",
        "elif self._problems and checkpoint",
        VERIFIED,
    ),
    Fault("a-prune-covers-one-batch-more", VERIFY, "n = max(n, last + 1)", "n = max(n, last + 2)", VERIFIED),
    Fault(
        "a-checkpoint-may-be-written-in-two-ways",
        CHECKPOINT,
        "if rest or checkpoint.text",
        "if rest and checkpoint.text",
        VERIFIED,
    ),
    Fault(
        "any-first-line-is-our-signature",
        CHECKPOINT,
        "if name == origin and signature",
        "if name != origin or signature",
        VERIFIED,
    ),
    Fault(
        "a-tree-that-grew-by-nothing-proves-anything",
        MERKLE,
        "return not proof and old_root",
        "return not proof or old_root",
        PROOFS,
    ),
    Fault(
        "a-proof-of-the-last-leaf-goes-astray",
        MERKLE,
        "if first & 1 or first == last:\n            node =",
        "if first & 1 and first == last:\n            node =",
        PROOFS,
    ),
    # the stores
    Fault(
        "what-was-sealed-meanwhile-did-not-happen",
        "store/journal.py",
        "sealed[0] >= read.n",
        "sealed[0] > read.n",
        JOURNALS,
    ),
    Fault(
        "a-tail-that-was-put-off-is-forgotten",
        "store/tail.py",
        "self._written, self._since = 1,",
        "self._written, self._since = 0,",
        "tests/test_tail.py",
    ),
    Fault(
        "a-ledger-cut-off-is-not-missed",
        "store/copies.py",
        "return own is None or checkpoint_in",
        "return own is not None and checkpoint_in",
        "tests/test_recover.py",
    ),
    Fault(
        "a-key-is-remembered-for-ever",
        "store/vault.py",
        "cached.cipher is not None and cached.until > now",
        "cached.cipher is not None and cached.until > 0",
        "tests/test_vault.py",
    ),
    Fault(
        "look-up-tokens-outlive-the-value",
        "store/vault.py",
        "transaction.execute(_DELETE_TOKENS, placed_value(value_id))",
        "transaction.execute(_DELETE_TOKENS, placed_value(0))",
        "tests/test_scrub.py",
    ),
    Fault(
        "papers-on-their-way-out-are-not-found",
        "store/papers.py",
        "until_at <= ? ORDER BY bucket",
        "until_at < ? ORDER BY bucket",
        FILED,
    ),
    Fault(
        "two-may-send-the-same",
        "store/outbox.py",
        "AND message_id = ? AND state = 'queued'",
        "AND message_id = ? AND state <> 'sent'",
        TOLD,
    ),
    Fault(
        "who-was-sending-is-never-missed",
        "store/outbox.py",
        "state = 'sending' AND leased_until <= ?",
        "state = 'sending' AND leased_until <= 0 * ?",
        TOLD,
    ),
    # papers, telling, acting, reviews, the report
    Fault(
        "a-paper-goes-though-it-serves-again",
        PAPERS,
        "if until is None or until <= now:\n            return False",
        "if until is None or until >= now:\n            return False",
        FILED,
    ),
    Fault("a-withdrawal-ends-no-proof", PAPERS, "return min(ended, _withdrawn", "return max(ended, _withdrawn", FILED),
    Fault(
        "showing-a-paper-leaves-no-record",
        PAPERS,
        "if row.kind not in OWN_WORKING:",
        "if row.kind in OWN_WORKING:",
        FILED,
    ),
    Fault(
        "an-advertisement-is-not-decided-again",
        TELLING,
        "if not decision.granted:\n            self._given_up",
        "if decision is None:\n            self._given_up",
        TOLD,
    ),
    Fault("one-attempt-too-many", TELLING, "if tried < len(PAUSES) else", "if tried <= len(PAUSES) else", TOLD),
    Fault(
        "an-answer-after-the-lease-is-lost",
        TELLING,
        'row._replace(state="uncertain"), state',
        'row._replace(state="sending"), state',
        TOLD,
    ),
    Fault(
        "a-parent-speaks-for-ever",
        ACTING,
        "and grown is not None and now < grown",
        "and grown is not None and now > grown",
        ASKS,
    ),
    Fault(
        "who-fell-silent-falls-silent-again",
        ACTING,
        "if one is None or one.ended_at is not None:",
        "if one is None:",
        ASKS,
    ),
    Fault(
        "kept-for-no-reason",
        REVIEWING,
        "if outcome == KEPT and not reason:",
        "if outcome == KEPT and reason is False:",
        LOOKS,
    ),
    Fault("what-ended-by-itself-stays-up", REVIEWING, "noted.keys() - up.keys()", "noted.keys() & ()", LOOKS),
    Fault(
        "a-dispute-can-be-reviewed-away",
        REVIEWING,
        "up.kind in (GroundKind.CLAIM",
        "up.kind not in (GroundKind.CLAIM",
        LOOKS,
    ),
    Fault("paper-is-never-late", "keeper/standing.py", "else look.now) > limit", "else limit) > limit", SHOWN),
    Fault(
        "at-night-a-yes-beats-a-promise-of-never",
        "keeper/looking.py",
        'return promised == "never" or not',
        'return promised == "never" and not',
        SHOWN,
    ),
    # the engine
    Fault(
        "what-is-named-twice-is-seen-twice",
        READING,
        "if len(named) < 2 else",
        "if len(named) < 9 else",
        "tests/test_untested_rules.py",
    ),
    Fault(
        "any-word-is-a-check-of-the-law",
        PROVING,
        "if one in plan.country.representative_verified",
        "if one",
        "tests/test_children.py",
    ),
    Fault(
        "a-thousand-persons-are-not-many",
        "engine/leaks.py",
        "persons >= number or grave",
        "persons > number or grave",
        "tests/test_web_leaks.py",
    ),
    Fault(
        "a-limit-is-reached-one-person-late",
        "engine/duties.py",
        ">= number for size",
        "> number for size",
        "tests/test_web_duties.py",
    ),
    Fault("night-begins-an-hour-late", COUNTRY, "else hour >= begins or", "else hour > begins or", COUNTRIES),
    Fault(
        "a-password-passes-on-with-the-business",
        "engine/passing_on.py",
        "item.nature not in (Nature.PASSWORD, Nature.SECRET)",
        "item.nature not in (Nature.SECRET,)",
        "tests/test_handing_over.py",
    ),
    Fault(
        "a-notice-is-addressed-with-what-is-due",
        "engine/notices.py",
        "is not DueState.DUE",
        "is not DueState.ACTIVE",
        TOLD,
    ),
    # readings together
    Fault("strangers-value-stands-ready", SEEING, "== reading.subject_id:", "!= reading.subject_id:", TOGETHER),
    Fault("too-few-rows-are-enough", SEEING, "len(rows) < len(owners):", "len(rows) > len(owners):", TOGETHER),
    Fault(
        "nobody-waits-until-a-thread-is-awake",
        "store/beside.py",
        "self._awake.acquire()",
        "self._awake.acquire(False)",
        TOGETHER,
    ),
    Fault(
        "the-end-of-anothers-flush-will-do",
        "store/beside.py",
        "process, self._process = self._process, 0",
        "process = self._process",
        TOGETHER,
    ),
    Fault("opened-before-the-disk", "store/place.py", "doing(self.flush):", "doing(lambda: None):", TOGETHER),
    Fault(
        "an-expired-key-opens-a-batch",
        "store/vault.py",
        "opener.until <= now or opener.binding is None",
        "opener.until <= 0 or opener.binding is None",
        "tests/test_vault.py",
    ),
    Fault("cancelled-are-read", "keeper/gathering.py", "in some if not future.done()", "in some", IN_LOOPS),
    Fault("batch-waits-for-itself", "keeper/aio.py", "active.batching:", "active.barred:", IN_LOOPS),
)
ON_A_SERVER = "tests/test_one_message.py"
OWNERS_PROVED = (
    "tests/test_one_message.py::test_values_come_with_the_proof_of_their_owners_by_their_keys_and_where_they_lay"
)
LATE_OR_EARLY = f"{ON_A_SERVER}::test_a_view_that_is_late_or_early_in_any_position_fails_the_whole_message"
SENT = (
    # what a message to PostgreSQL takes for granted
    Fault(
        "an-unknown-person-is-as-taken-for-granted",
        "store/subjects.py",
        "WHERE bucket = ? AND subject_id = ?) = ?, FALSE",
        "WHERE bucket = ? AND subject_id = ?) = ?, TRUE",
        f"{ON_A_SERVER}::test_a_view_of_nobody_fails_the_whole_message",
    ),
    Fault("one-of-many-may-be-newer", "store/subjects.py", "AND s.epoch = w.epoch)", "AND s.epoch >= w.epoch)",
          LATE_OR_EARLY),
    Fault("one-of-many-may-be-older", "store/subjects.py", "AND s.epoch = w.epoch)", "AND s.epoch <= w.epoch)",
          LATE_OR_EARLY),
    Fault("an-owner-may-be-newer", "store/subjects.py", "AND s.epoch = w.epoch,", "AND s.epoch >= w.epoch,",
          f"{OWNERS_PROVED}[False]"),
    Fault("an-owner-that-lay-there-may-be-newer", "store/subjects.py", "array_agg(epoch) = CAST",
          "array_agg(epoch) >= CAST",
          f"{OWNERS_PROVED}[True]"),
    Fault("an-owner-that-lay-there-may-be-older", "store/subjects.py", "array_agg(epoch) = CAST",
          "array_agg(epoch) <= CAST",
          f"{OWNERS_PROVED}[True]"),
    Fault("who-lies-there-now-is-taken-for-who-lay-there", "store/subjects.py",
          "CAST(? AS TEXT[]) AND array_agg(epoch)", "CAST(? AS TEXT[]) OR array_agg(epoch)",
          f"{OWNERS_PROVED}[True]"),
    Fault("two-who-lay-in-one-spot-are-proved-as-one", "store/subjects.py",
          "if len(persons) != len(epochs) or len(values)", "if len(values)",
          f"{ON_A_SERVER}::test_rows_that_lie_elsewhere_are_not_taken_for_others_that_came_there"),
    Fault("a-value-that-lies-elsewhere-is-missing", "store/subjects.py",
          "array_agg(value_id) FROM v) = CAST", "array_agg(value_id) FROM v) <@ CAST",
          f"{ON_A_SERVER}::test_a_value_that_was_taken_away_is_missing_by_its_key_and_overtaken_where_it_lay"),
    Fault("what-is-dropped-need-not-be-there", "store/journal.py", "CAST(count(*) = ? AS INT) FROM dropped",
          "CAST(count(*) <= ? AS INT) FROM dropped",
          f"{ON_A_SERVER}::test_rows_that_are_dropped_together_must_all_have_been_there"),
    Fault("a-change-may-change-nothing", "store/spelling.py", "CAST(count(*) = 1", "CAST(count(*) <= 1",
          f"{ON_A_SERVER}::test_a_change_of_other_than_one_row_fails_the_whole_message"),
    Fault("what-the-end-refuses-is-not-heard", "store/wire.py", "elif self._bad is None:\n                self._bad",
          "elif self._bad is not None:\n                self._bad",
          f"{ON_A_SERVER}::test_what_only_the_commit_refuses_is_told"),
    Fault("a-view-on-older-policies-decides", "store/views.py", "if epoch != seen.epoch or seen.plan_epoch !=",
          "if epoch != seen.epoch or seen.plan_epoch is",
          "tests/test_late_views.py::test_a_view_that_left_memory_before_a_publication_does_not_decide_after_it"),
)  # fmt: skip
INSPECTED = (
    # what a supervisor is told again without being reckoned again
    Fault("an-answer-outlives-a-change-of-the-person", "store/views.py",
          "== [(plan_epoch, epoch)]", "[0][0] == plan_epoch",
          "tests/test_inspecting.py::test_an_inspection_sees_what_another_process_wrote_a_moment_ago"),
    Fault("an-answer-outlives-a-change-of-the-policies", "store/views.py",
          "== [(plan_epoch, epoch)]", "[0][1] == epoch",
          "tests/test_inspecting.py::"
          "test_an_answer_that_was_given_is_reckoned_anew_once_another_process_has_changed_the_policies"),
    Fault("an-answer-outlives-its-ends", "keeper/inspecting.py", "told.from_at <= now < told.until_at",
          "told.from_at <= now", "tests/test_inspecting.py::test_time_goes_on_for_an_answer_that_is_remembered"),
    Fault("nothing-ever-happens-again", "store/newest.py", "if self._still and self._ledger",
          "if self._still or self._ledger",
          "tests/test_inspecting_server.py::"
          "test_who_asks_for_the_log_while_nothing_happens_is_told_by_the_shortest_question"),
    Fault("who-was-under-way-is-not-missed", "store/journal.py", "pg_backend_pid(), ' ', pg_current_snapshot())",
          "pg_backend_pid(), ' ', pg_snapshot_xmax(pg_current_snapshot()))",
          "tests/test_inspecting_server.py::"
          "test_every_commit_is_seen_in_what_a_session_can_see_and_nothing_else_changes_it"),
)  # fmt: skip
AFRESH_READ = (
    # what nobody had planted before
    Fault(
        "what-is-used-again-escapes-an-erasure",
        LIFECYCLE,
        "return any(use.anchor_at <= request.received_at",
        "return all(use.anchor_at <= request.received_at",
        LIVES,
    ),
    Fault(
        "late-from-the-end-of-the-first-use",
        LIFECYCLE,
        "_later(purposes) if purposes",
        "_earlier(purposes) if purposes",
        LIVES,
    ),
    Fault(
        "whose-clearance-lapsed-looks-apart",
        READING,
        'Reason.DUTY_MISSING, "use"))\n    if not act.reader.cleared_from <= at < act.reader.cleared_until:',
        'Reason.DUTY_MISSING, "use"))\n    if not act.reader.cleared_from <= at:',
        ACTS,
    ),
    Fault(
        "who-waits-for-an-answer-is-forgotten",
        "keeper/destroying.py",
        "one.waiting for one in state.requests",
        "one.waiting for one in ()",
        FORGETTING,
    ),
    Fault(
        "what-lies-apart-still-is-certified",
        "keeper/destroying.py",
        "strict=True) if rows}\n        found |= self",
        "strict=True) if not held}\n        found |= self",
        FORGETTING,
    ),
    Fault(
        "paper-needs-no-witness",
        "keeper/elsewhere.py",
        "or witness is not None or not",
        "or witness is None or not",
        AFRESH,
    ),
    Fault(
        "paper-is-forgotten",
        "keeper/elsewhere.py",
        "done_at IS NULL AND place NOT LIKE '%.%' LIMIT 1",
        "done_at IS NOT NULL AND place NOT LIKE '%.%' LIMIT 1",
        AFRESH,
    ),
    Fault(
        "gone-and-yet-noted",
        "keeper/elsewhere.py",
        "known.held in (HeldState.CONDEMNED, HeldState.DESTROYED)",
        "known.held in (HeldState.CONDEMNED,)",
        AFRESH,
    ),
    # read afresh
    Fault(
        "a-claim-of-another-engagement",
        LIFECYCLE,
        "return fact.engagement == opened.engagement",
        "return fact.engagement != opened.engagement",
        AFRESH,
    ),
    Fault("any-settlement-settles", LIFECYCLE, "return fact.about == opened.about", "return True", AFRESH),
    Fault("the-time-for-using-it-never-ends", GIVING, "about=about)).at <= at", "about=about)).at < 0", AFRESH),
    Fault(
        "more-leaves-the-country",
        LAYERS,
        "if item not in row.items]\n        if beyond",
        "if not row.items]\n        if beyond",
        AFRESH,
    ),
    Fault(
        "a-processor-sees-it-all",
        READING,
        "    if item not in row.items:\n        return [row.rule",
        "    if item is row.items:\n        return [row.rule",
        AFRESH,
    ),
    Fault(
        "looking-from-abroad-is-free",
        READING,
        'row.seat, "entrustment", (item,), at, no)',
        'row.seat, "provision", (item,), at, no)',
        AFRESH,
    ),
    Fault(
        "a-new-use-needs-no-yes",
        VIEW,
        "return before is not None and use in before.runs",
        "return before is not None or use in before.runs",
        AFRESH,
    ),
    Fault(
        "once-a-fellow-always-a-fellow",
        READING,
        "if one.begun_at <= at < view.life",
        "if one.begun_at <= at or view.life",
        AFRESH,
    ),
    Fault(
        "ours-is-made-theirs",
        COLLECTING,
        "if value.held_for != held_for(",
        "if value.held_for and not held_for(",
        AFRESH,
    ),
    Fault(
        "readers-of-another-organisation",
        READING,
        "reader.organisation in (None, organisation)",
        "reader.organisation is not organisation or True",
        AFRESH,
    ),
    Fault(
        "a-password-may-be-demanded",
        VIEW,
        "item.nature in (Nature.PASSWORD, Nature.SECRET)",
        "item.nature in (Nature.SECRET,)",
        AFRESH,
    ),
    Fault(
        "a-law-needs-no-approver",
        COMPILE,
        'BY_LAW = frozenset({"document", "approver"})',
        'BY_LAW = frozenset({"document"})',
        AFRESH,
    ),
    Fault("told-again-is-another", "keeper/living.py", "self.at in (None, fact.at)", "self.at in (fact.at,)", AFRESH),
    Fault("an-unproved-letter-ends-it", "keeper/asking.py", "now, confirmed and enough)", "now, confirmed)", AFRESH),
    Fault("nothing-is-disputed", VIEW, "any(reason is Reason.FROZEN for", "any(reason is Reason.SUSPENDED for", AFRESH),
    Fault(
        "only-what-is-endless-can-be-ended",
        "keeper/living.py",
        "engagement_end(one.engagement_id).at > now",
        "engagement_end(one.engagement_id).at == FOREVER",
        AFRESH,
    ),
)
IN_PARTS = "tests/test_in_parts.py::test_"
NEVER_SAID = f"{IN_PARTS}where_the_rest_is_never_said_nothing_of_the_first_part_stays_and_nobody_is_kept_out"
OVERTAKEN = "tests/test_one_message.py::test_what_was_committed_after_the_statement_that_claims_had_begun_fails_it"
TAKEN = (
    Fault("the-plan-of-a-value-is-not-proved", "store/claiming.py",
          "PLAN_AND_PERSON, (bucket, subject_id, plan_epoch)", "None", OVERTAKEN),
    Fault("a-value-of-somebody-who-has-changed", "store/claiming.py", "CAST(epoch = ? AS", "CAST(epoch >= ? AS",
          OVERTAKEN),
    Fault("a-value-of-somebody-whom-others-have", "store/postgres.py", "xact_lock_shared(?) AND",
          "xact_lock_shared(?) OR",
          "tests/test_one_message.py::test_a_value_that_had_to_wait_for_somebody_became_known_when_it_had_the_person_"
          "to_itself"),
    Fault("who-claims-need-not-find-the-person", "store/claiming.py", "guard WHERE EXISTS",
          "guard WHERE TRUE OR EXISTS", OVERTAKEN),
    Fault("a-first-part-stays-where-the-rest-fails", "store/straight.py",
          "if said.begun:\n                self.engine.f", "if not said:\n                self.engine.f",
          NEVER_SAID),
    Fault("a-first-part-stays-where-its-record-fails", "store/postgres_connection.py",
          "others()\n        except BaseException:\n            self.abandon()\n            raise\n        try",
          "others()\n        except BaseException:\n            raise\n        try", NEVER_SAID),
    Fault("the-rest-is-said-without-its-beginning", "store/postgres_connection.py",
          "if not begun and not self.begin_with(statements)", "if not self.begin_with(statements)",
          f"{IN_PARTS}what_is_asked_on_the_line_in_between_takes_the_first_part_back"),
    Fault("a-token-that-was-refused-is-in", "store/postgres_connection.py", "self._unheard = said", "pass",
          "tests/test_token_said.py::test_a_token_that_the_server_refused_is_put_in_before_anybody_looks"),
    Fault("nobody-takes-the-answer-to-a-token", "store/postgres_connection.py",
          "if self._said or self._unheard:\n            self._hear()", "if not self._said:\n            pass",
          "tests/test_token_said.py"),
    Fault("granted-before-and-so-for-ever", COLLECTING, "not known[0] <= at < known[1]", "not known[0] <= at", ACTS),
    Fault("granted-before-and-so-while-a-wish-is-open", COLLECTING, "and _asks_nothing(taking, view, at) else None",
          "else None", ACTS),
)  # fmt: skip
STRAIGHT, BY_MESSAGE, STOPPED = "store/straight.py", "tests/test_straight.py::test_", "tests/test_stopped.py"
NOBODYS = f"{BY_MESSAGE}what_was_seen_of_a_change_that_did_not_happen_is_nobodys"
SPREAD, WRITTEN_ANEW = "tests/test_stirring.py", "tests/test_written_anew.py"
GONE_STRAIGHT = (
    Fault("a-barred-place-goes-straight", STRAIGHT, "self.writer.asks or self.barred",
          "self.writer.asks and self.barred",
          f"{BY_MESSAGE}a_place_that_is_barred_is_left_to_the_long_way_which_says_why"),
    Fault("work-that-looks-is-tried-again-at-once", STRAIGHT, "self._doubt(names)\n            if not",
          "self._doubt(())\n            if not",
          f"{BY_MESSAGE}work_that_looks_at_an_answer_is_not_tried_without_one_for_some_time"),
    Fault("what-failed-in-the-work-was-seen", STRAIGHT, "self._undo()\n            if said.begun",
          "pass\n            if said.begun", NOBODYS),
    Fault("what-was-cut-was-seen", STRAIGHT, "self._undo()\n            if not self._s", "if not self._s", NOBODYS),
    Fault("what-is-in-the-air-is-left-there", "store/aloft.py",
          "if self.flight is not None:\n            self._bring_down(self.flight)\n\n    def __exit__",
          "if self.flight is None:\n            pass\n\n    def __exit__",
          "tests/test_flight.py::test_a_place_that_is_closed_has_what_is_in_the_air_on_record"),
    Fault("an-answer-counts-before-its-end", "store/wire.py",
          "self._met = len(expected)\n                    return False", "return True",
          "tests/test_flight.py::test_an_answer_counts_when_the_end_of_its_message_is_here_and_not_before"),
    Fault("what-was-refused-was-seen", STRAIGHT, "self._undo()\n            self.fell", "self.fell", NOBODYS),
    Fault("what-could-not-be-sent-was-seen", STRAIGHT, "self._undo()\n                writer", "writer", NOBODYS),
    Fault("nobody-asks-what-became-of-it", STRAIGHT, "self._unsettled = True\n        try:",
          "self._unsettled = False\n        try:",
          f"{BY_MESSAGE}while_the_server_is_away_it_stays_open_what_became_of_a_message_and_the_next_asks"),
    Fault("who-was-stopped-is-not-missed", STRAIGHT, "self._unsettled = True\n        try:",
          "self._unsettled = False\n        try:",
          f"{BY_MESSAGE}who_is_stopped_before_anything_was_sent_leaves_no_gap_for_the_next"),
    Fault("who-was-stopped-before-it-was-noted-is-not-missed", STRAIGHT, "self._unsettled = True\n        try:",
          "self._unsettled = False\n        try:",
          f"{BY_MESSAGE}who_is_stopped_when_the_answer_is_there_and_not_noted_leaves_nothing_double"),
    Fault("who-is-stopped-at-the-commit-is-not-missed", "store/place.py",
          "self._unsettled = bool(transaction.entries)\n            self.connection.execute",
          "self._unsettled = False\n            self.connection.execute", STOPPED),
    Fault("a-fact-of-the-house-is-nobodys", "keeper/stirring.py", "return any(bucket ==", "return any(bucket !=",
          SPREAD),
    Fault("one-portion-is-all", "keeper/stirring.py", "while people:", "if people:", SPREAD),
    Fault("everybody-is-noted-for-ever", "keeper/stirring.py", "execute(_SPREAD, (EVERYBODY, word))",
          "execute(_SPREAD, (0, word))", SPREAD),
    Fault("a-large-table-is-written-anew-at-once", "store/scrubbing.py", "table.size > rewriting.small",
          "table.size < rewriting.small", WRITTEN_ANEW),
    Fault("a-clock-that-ran-ahead-keeps-keys", "store/scrubbing.py", "return not since <= at <", "return not at <",
          WRITTEN_ANEW),
    Fault("who-still-sees-a-key-is-not-waited-for", "store/scrubbing.py", "return any(kept)", "return not kept",
          WRITTEN_ANEW),
    Fault("what-is-written-anew-is-due-for-ever", "store/scrubbing.py",
          "VACUUM (FULL) {table.name}\")\n    _forget(", "VACUUM (FULL) {table.name}\")\n    _remember(", WRITTEN_ANEW),
)  # fmt: skip
FAULTS = (
    *TAKEN,
    *GONE_STRAIGHT,
    *BELOW,
    *SENT,
    *INSPECTED,
    *AFRESH_READ,
    Fault(
        "an-exception-for-what-may-be-refused", "engine/plan.py", "return purpose.required and (", "return (", UNASKED
    ),
    Fault("an-exception-without-its-papers", COLLECTING, "row.needs - act.unasked", "row.needs & act.unasked", UNASKED),
    Fault("an-exception-against-a-no", COLLECTING, "event is not None and not event.given", "event is None", UNASKED),
    Fault("a-use-need-not-be-named", READING, "purpose.uses and act.use is None", "purpose.uses and act is None", ACTS),
    Fault("a-blocked-use-runs", LAYERS, "purpose.uses.get(use) is False", "purpose.uses.get(use) is None", ACTS),
    Fault("a-mandate-gives-every-right", PROVING, "right not in acting.rights:", "right in acting.rights:", ASKS),
    Fault(
        "a-mandate-for-nothing-is-for-all",
        "keeper/asking.py",
        "acting.items and not values and not _within",
        "acting.items and values and not _within",
        ASKS,
    ),
    Fault(
        "published-over-its-obstacles", PUBLISHING, "if not one.gap or one.element not in gaps", "if False", PUBLISHED
    ),
    Fault("published-without-a-contract", BINDING, "if contract is None:", "if contract is row:", PUBLISHED),
    Fault("published-with-a-role-unfilled", BINDING, "if role.name not in filled:", "if role.name in {}:", PUBLISHED),
    Fault("one-copy-back-is-all-back", ELSEWHERE, "if still & set(values):", "if still < set(values):", COPIES),
    Fault("what-is-returned-marks-later-contracts", ELSEWHERE, "AND at >= ? AND at < ? AND", "AND ? < ? AND", COPIES),
    Fault("a-processor-keeps-its-copy", "keeper/giving.py", "max(used, default=FOREVER)", "FOREVER", COPIES),
    Fault("a-contract-is-not-needed", GIVING, "contract_in_force(view, row, at, no)\n", "pass\n", READERS),
    Fault(
        "a-stop-order-stops-nothing",
        LAYERS,
        "if row.name in view.controller.stopped",
        "if row in view.controller.stopped",
        READERS,
    ),
    Fault("a-way-out-without-its-papers", GIVING, "row.needs - act.shown", "row.needs & act.shown", SUBSCRIBERS),
    Fault(
        "pledge-and-training-never-lapse",
        "keeper/organisation.py",
        "if stale_at <= now:",
        "if stale_at < 0:",
        "tests/test_web_desk.py::test_whose_clearance_lapsed_is_told_at_the_desk",
    ),
    Fault(
        "the-law-of-korea-everywhere",
        "law/__init__.py",
        "pack = TABLES.of_zone(time_zone)\n    if pack is None:\n        return LawOfDay",
        'pack = TABLES.get("kr")\n    if pack is None:\n        return LawOfDay',
        COUNTRIES,
    ),
    Fault(
        "a-promise-beats-a-stricter-law",
        "law/stricter.py",
        "sense * about_days(promised) >=",
        "about_days(promised) >=",
        COUNTRIES,
    ),
    Fault("what-was-kept-is-asked-again-at-once", REVIEWS, "max([since, *kept])", "max([since])", LOOKS),
    Fault("any-paper-will-do", PROVING, "if have and (not enough or", "if have or (not enough or", ASKS),
    Fault("a-mandate-never-ends", PROVING, "not acting.live(at) or", "acting is None or", ASKS),
    Fault("a-mandate-covers-everything", PROVING, "and item not in acting.items", "and item in acting.items", ASKS),
    Fault(
        "a-ground-lives-one-instant-too-long",
        LIFECYCLE,
        "self.from_at <= at < self.until.at",
        "self.from_at <= at <= self.until.at",
        SUBSCRIBERS,
    ),
    Fault(
        "the-later-of-several-ends-ends-a-use",
        LIFECYCLE,
        "return min(moments, default=NEVER)",
        "return max(moments, default=NEVER)",
        SUBSCRIBERS,
    ),
    Fault(
        "settling-counts-from-the-first-fact",
        LIFECYCLE,
        "max(one.known_at for one in moments)",
        "min(one.known_at for one in moments)",
        LIVES,
    ),
    Fault(
        "a-claim-keeps-nothing", LIFECYCLE, "self._kept(GroundKind.CLAIM)", "self._kept(GroundKind.PROOF)", SUBSCRIBERS
    ),
    Fault(
        "a-statute-keeps-nothing",
        LIFECYCLE,
        "self._kept(GroundKind.STATUTE)",
        "self._kept(GroundKind.PROOF)",
        SUBSCRIBERS,
    ),
    Fault(
        "what-begins-as-the-purpose-ends-is-lost",
        LIFECYCLE,
        "ground.from_at <= own_until",
        "ground.from_at < own_until",
        SUBSCRIBERS,
    ),
    Fault(
        "retention-over-a-gap",
        LIFECYCLE,
        "from_at <= purpose_until.at and",
        "from_at >= purpose_until.at and",
        LIVES,
    ),
    Fault(
        "a-withdrawal-leaves-the-consent",
        LIFECYCLE,
        "last is not None and last.given else None",
        "last is not None else None",
        SUBSCRIBERS,
    ),
    Fault(
        "what-was-taken-ends-with-no-withdrawal",
        LIFECYCLE,
        "event.at > since and not event.given",
        "event.at > since and event.given",
        SUBSCRIBERS,
    ),
    Fault(
        "an-unproved-letter-destroys",
        LIFECYCLE,
        "if request.proved_at is None:\n            return",
        "if request.right is None:\n            return",
        LIVES,
    ),
    Fault(
        "a-claim-is-closed-by-an-earlier-payment",
        LIFECYCLE,
        "one.at >= opened.at and _same_case",
        "one.at != opened.at and _same_case",
        LIVES,
    ),
    Fault(
        "a-special-case-counts-as-the-rule",
        LIFECYCLE,
        "occurrence.about == other.name",
        "occurrence.about != other.name",
        LIVES,
    ),
    Fault(
        "of-two-versions-only-the-one-in-force-binds",
        LIFECYCLE,
        "(self.plan, *agreed, *self._since(use.anchor_at))",
        "(self.plan,)",
        LIVES,
    ),
    Fault("no-settling-time", COMPILE, "SETTLING = Period(days=1)", "SETTLING = Period(days=0)", USERS),
    Fault("nothing-is-ever-needless", COMPILE, "frozenset(needless.after)", "frozenset[str]()", USERS),
    Fault(
        "the-longer-grace-holds",
        COUNTRY,
        "return min([*promised, *",
        "return max([*promised, Period(days=9), *",
        LIVES,
    ),
    Fault(
        "a-freeze-is-ignored",
        VIEW,
        "not right.freezes or not request.freezes",
        "right.freezes or not request.freezes",
        USERS,
    ),
    Fault(
        "a-consent-of-any-version-will-do",
        LAYERS,
        "if agreed is not view.plan and (scope is None",
        "if agreed is None and (scope is None",
        ACTS,
    ),
    Fault(
        "what-is-held-for-another-is-ours",
        READING,
        "held_for is not None and not _is_theirs",
        "held_for is None and not _is_theirs",
        SUBSCRIBERS,
    ),
    Fault(
        "a-pass-outlives-its-ground", READING, "found.from_at <= at < found.until_at", "found.from_at <= at", READERS
    ),
    Fault(
        "a-recipient-gets-data-without-its-service",
        GIVING,
        "if row.per and not _open_engagement",
        "if row.per and _open_engagement",
        SUBSCRIBERS,
    ),
    Fault(
        "a-child-agrees-alone",
        COLLECTING,
        "at < state.minor_until and not _representative_agreed(view, at)",
        "at < state.minor_until and _representative_agreed(view, at)",
        CUSTOMERS,
    ),
    Fault(
        "the-sweep-looks-a-day-late",
        "keeper/moving.py",
        '> marks.get((fact, calendar or "", str(period)), 0)',
        '> 1 + marks.get((fact, calendar or "", str(period)), 0)',
        READERS,
    ),
    Fault(
        "who-waits-to-scrub-holds-up-who-scrubs",
        "store/postgres.py",
        "if wait and name == SCRUB:",
        "if wait and name != name:",
        "tests/test_beyond_recovery.py",
    ),
    Fault(
        "what-can-still-be-seen-counts-as-gone",
        "store/scrubbing.py",
        "return any(told)",
        "return not told",
        "tests/test_beyond_recovery.py",
    ),
    Fault(
        "what-somebody-else-has-ended-is-certified-again",
        "keeper/destroying.py",
        "if (step.kind, step.stage) in rows",
        "if rows is not step",
        "tests/test_sharing.py",
    ),
    Fault(
        "an-event-at-midnight-leaves-one-anchor",
        "keeper/door.py",
        "return (day.toordinal() - 1, day.toordinal())",
        "return (day.toordinal(),)",
        "tests/test_cases.py",
    ),
    Fault(
        "a-fact-wakes-nobody",
        "keeper/living.py",
        "subjects.add_fact(transaction, subject_id, fact)\n            self._stirred(transaction, moved)",
        "subjects.add_fact(transaction, subject_id, fact)",
        SUBSCRIBERS,
    ),
    Fault(
        "a-delivery-counts-twice", "keeper/living.py", "if before is not None:", "if before is None and False:", FACTS
    ),
    Fault(
        "an-exception-that-nobody-hears-of",
        LATE,
        'destroyed = ("exception:destroyed-before-known",) if gone else ()',
        "destroyed: tuple[str, ...] = ()",
        FACTS,
    ),
    Fault("nobody-is-told-of-what-came-too-late", LATE, "if happened < one.at]", "if happened > one.at]", SUBSCRIBERS),
    Fault("what-was-late-before-is-late-again", LATE, "now(one, kind) - then(one, kind)", "now(one, kind)", FACTS),
    Fault("a-late-end-of-a-contract-is-nobodys", LATE, "if happened >= transaction.at:", "if True:", FACTS),
    Fault(
        "what-ended-late-was-given-rightly",
        GIVING,
        "        if cited is not None:  # whether",
        "        if cited is None:  # whether",
        FACTS,
    ),
    Fault("a-file-outlives-its-request", PAPERS, "Instant(own.settled_at or over)", "Instant(over)", FILED),
    Fault(
        "a-proof-outlives-its-consent",
        PAPERS,
        "return min(ended, _withdrawn",
        "return max(ended, _withdrawn",
        FILED,
    ),
    Fault("an-end-that-comes-to-light-waits", PAPERS, "over = over or until <= at", "over = over or until < 0", FILED),
    Fault("an-account-outlives-its-role", PAPERS, "max(coalesce(revoked_at, until_at))", "max(until_at)", FILED),
    Fault("nobody-comes-back", PAPERS, "if until is None or until <= now:", "if until is None or until >= 0:", FILED),
    Fault(
        "a-rejected-input-leaves-nothing",
        "keeper/rejecting.py",
        "if not refusal.on_record:",
        "if refusal.on_record:",
        "tests/test_on_record.py",
    ),
    Fault(
        "an-order-is-followed-before-it-was-given",
        "engine/state.py",
        "one.about is not None and one.at <= at]",
        "one.about is not None]",
        FACTS,
    ),
    Fault(
        "the-day-of-the-event-counts",
        "dates.py",
        "return day if start_of(day, zone) == at else day + timedelta(days=1)",
        "return day if start_of(day, zone) == at else day",
        DATES,
    ),
    Fault(
        "midnight-counts-the-next-day",
        "dates.py",
        "return day if start_of(day, zone) == at else day + timedelta(days=1)",
        "return day + timedelta(days=1)",
        DATES,
    ),
    Fault(
        "a-day-that-does-not-exist-is-the-28th",
        "dates.py",
        "corresponding = date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1)",
        "corresponding = date(year, month + 1, 28)",
        DATES,
    ),
    Fault(
        "the-cut-off-is-a-day-early",
        "dates.py",
        "zone) <= at:\n            low = middle",
        "zone) < at:\n            low = middle",
        DATES,
    ),
    Fault(
        "an-erasure-passes-by-steps-that-were-cut-short",
        "keeper/at_once.py",
        "step.stage != REMOVED for",
        "step.stage == REMOVED for",
        f"{AT_ONCE}what_somebody_else_has_left_half_done_is_left_to_the_sweep",
    ),
    Fault(
        "what-was-gone-before-is-counted-as-gone-now",
        "keeper/at_once.py",
        "_gone(after) - _gone(before)",
        "_gone(after) + _gone(before)",
        f"{AT_ONCE}what_somebody_else_has_left_half_done_is_left_to_the_sweep",
    ),
    Fault(
        "who-only-serves-destroys",
        "keeper/at_once.py",
        "outcome.granted and self.places.seals",
        "outcome.granted or self.places.seals",
        f"{AT_ONCE}who_only_serves_answers_and_destroys_nothing",
    ),
    Fault(
        "nothing-is-sealed-at-once",
        "store/sealing.py",
        "LIMIT 1) = ?, FALSE)",
        "LIMIT 1) <> ?, FALSE)",
        f"{AT_ONCE}on_a_server_an_erasure_is_seven_messages_also_when_many_follow_each_other",
    ),
    Fault(
        "who-has-sealed-since-is-not-noticed",
        "store/sealing.py",
        "LIMIT 1) = ?, FALSE)",
        "LIMIT 1) = ?, TRUE) OR TRUE",
        f"{AT_ONCE}batches_that_were_sealed_at_once_are_dropped_and_counted_once",
    ),
    Fault(
        "an-erasure-leaves-its-word",
        "keeper/sharing.py",
        "held is not None and held.once",
        "held is None and held.once",
        f"{AT_ONCE}who_is_erased_at_once_leaves_what_who_is_swept_leaves",
    ),
)


def with_fault(fault: Fault, folder: Path) -> Path:
    """A copy of the source with the fault in it. Fails when the token is no longer there once."""
    source = folder / "src"
    shutil.copytree(ROOT / "src" / "upheld", source / "upheld", ignore=shutil.ignore_patterns("__pycache__"))
    file = source / "upheld" / fault.file
    text = file.read_text("utf-8")
    assert text.count(fault.old) == 1, f"`{fault.old}` stands {text.count(fault.old)} times in {fault.file}"
    file.write_text(text.replace(fault.old, fault.new), "utf-8")
    return source


def failures(source: Path, tests: str) -> int:
    """How the tests end on that source: 0 all well, 1 some failed. Raises on anything else, as a wrong path."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",
        "-p",
        "no:cacheprovider",
        "-o",
        f"pythonpath={source} {ROOT}",
        tests,
    ]
    environment = {**os.environ, "PYTHONPATH": str(source), "UPHELD_EXAMPLES": "house", "UPHELD_LIVES": LIVES_ENOUGH}
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert ran.returncode in (0, 1), ran.stdout[-2000:] + ran.stderr[-2000:]
    assert str(source) in source_used(source), "the child did not run the copy"
    return ran.returncode


def source_used(source: Path) -> str:
    """Where a child with this path finds the package."""
    command = [sys.executable, "-c", "import upheld; print(upheld.__file__)"]
    environment = {**os.environ, "PYTHONPATH": str(source)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


@pytest.mark.deep
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_is_caught(fault: Fault, tmp_path: Path) -> None:
    assert failures(with_fault(fault, tmp_path), fault.caught_by) == 1, f"{fault.name} survived {fault.caught_by}"


def test_every_planted_fault_still_has_its_place() -> None:
    """Without running it: each token stands once where the fault would be planted."""
    for fault in FAULTS:
        text = (ROOT / "src" / "upheld" / fault.file).read_text("utf-8")
        assert text.count(fault.old) == 1, f"{fault.name}: `{fault.old}` stands {text.count(fault.old)} times"
        assert fault.old != fault.new
