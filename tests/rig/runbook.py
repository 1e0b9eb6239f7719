"""The commands of the runbook, to be run as they stand there."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

_RUNBOOK = Path(__file__).resolve().parents[2] / "deploy" / "runbook.md"
_BLOCK = r"```[a-z]*\n(.*?)```"
# Whatever begins like this is to be run also where it stands in a sentence.
_PROGRAM = r"(?:authbus|curl|docker|kubectl|make|psql|promtool|kafka-[a-z-]+\.sh|SELECT) .+"

_RECOVERY = (
    "tests/e2e/test_recovery.py::"
    "test_a_lost_database_is_noticed_and_comes_back_from_nothing_but_the_topics"
)
_SESSIONS = (
    "tests/e2e/test_operator_sessions.py::"
    "test_an_operator_sees_a_users_sessions_ends_one_and_then_all"
)
_USERS = "tests/e2e/test_operator_users.py::test_an_operator_does_what_an_administrator_may"
_LETTERS = (
    "tests/integration/cli/test_replaying.py::"
    "test_the_runbooks_dead_letters_run_and_end_with_none_open"
)
_REPLAYS = (
    "tests/integration/cli/test_replaying.py::"
    "test_the_runbooks_replay_runs_and_ends_with_0_and_what_is_dead_again_with_1"
)
_MASTERS = (
    "tests/integration/cli/test_masters.py::"
    "test_the_runbooks_way_ends_with_nothing_left_under_the_old_master"
)
_RIGHTS = (
    "tests/integration/cli/test_guarded.py::"
    "test_acls_are_checked_by_operators_and_made_by_who_may_alter_the_cluster"
)
_BACKUPS = (
    "tests/integration/cli/test_doctor.py::test_a_backup_that_is_older_than_the_commands_is_found"
)
_OF_SESSIONS = "replay commands auth.commands.sessions.v1 --from 0"
# What needs more than a service that is well, and the test that runs it where that is there.
ELSEWHERE = {
    "doctor --backup-from 2026-03-01T02:00:00": _BACKUPS,
    "recover --dry-run": _RECOVERY,
    "recover --report recovery.json": _RECOVERY,
    "dead-letters show ID": _LETTERS,
    "dead-letters discard --reason bad_seal": _LETTERS,
    f"{_OF_SESSIONS} --dry-run": _REPLAYS,
    f"{_OF_SESSIONS} --where type=LogOut --rate 500/s": _REPLAYS,
    "acls check": _RIGHTS,
    "acls apply": _RIGHTS,
    "keys replace-master": _MASTERS,
    "keys replace-master --dry-run": _MASTERS,
    "keys replace-master --trusted THUMBPRINT": _MASTERS,
    "sessions list ana@example.com": _SESSIONS,
    "sessions end SESSION_ID": _SESSIONS,
    "sessions end-all ana@example.com": _SESSIONS,
    "users deactivate ana@example.com": _USERS,
    "users reset-password ana@example.com": _USERS,
}

_SCRIPTS = "tests/integration/cli/test_kafka_scripts.py::"
_FORGOTTEN = f"{_SCRIPTS}test_what_no_relay_wrote_is_forgotten_with_all_before_it"
_BACKED_UP = "tests/e2e/test_backups.py::"
_COPY = f"{_BACKED_UP}test_a_copy_and_its_log_come_back_and_the_topics_bring_the_rest"
_DUMP = f"{_BACKED_UP}test_a_dump_comes_back_and_the_topics_bring_the_rest"
_OLD = f"{_BACKED_UP}test_what_is_six_days_old_is_deleted_and_nothing_younger"
_KEPT = "test_the_kept_report_is_green_and_has_enough_of_each_class"
# Of other programs, the test that does what each does. Three brokers are harmed for minutes:
# `make chaos-release` does that, and the test judges what is kept of it.
OTHERS = {
    (
        "kafka-log-dirs.sh --bootstrap-server kafka:9092 --describe "
        "--topic-list auth.events.v1,auth.audit.v1"
    ): (
        f"{_SCRIPTS}test_each_partition_of_the_events_and_the_audit_is_shown_with_the_room_it_takes"
    ),
    "kafka-topics.sh --bootstrap-server kafka:9092 --describe --under-replicated-partitions": (
        f"{_SCRIPTS}test_the_partition_that_lacks_a_copy_is_shown_and_none_that_lacks_none"
    ),
    "kafka-transactions.sh --bootstrap-server kafka:9092 find-hanging --topic auth.relay.v1": (
        f"{_SCRIPTS}test_a_strangers_transaction_that_hangs_is_found_and_ended_by_what_is_shown"
    ),
    "kafka-transactions.sh --bootstrap-server kafka:9092 describe --transactional-id auth.relay": (
        f"{_SCRIPTS}test_a_transaction_of_the_relays_own_has_the_producer_that_is_shown"
    ),
    (
        "kafka-configs.sh --bootstrap-server kafka:9092 --alter --entity-type topics "
        "--entity-name auth.relay.v1 --add-config cleanup.policy=[compact,delete]"
    ): _FORGOTTEN,
    (
        "kafka-delete-records.sh --bootstrap-server kafka:9092 --offset-json-file forget.json"
    ): _FORGOTTEN,
    "install -d -m 700 /backup /backup/log": _COPY,
    "pg_basebackup --checkpoint=fast --pgdata=/backup/2026-03-01": _COPY,
    "cp -a /backup/2026-03-01 /var/lib/postgresql/data": _COPY,
    "touch /var/lib/postgresql/data/recovery.signal": _COPY,
    "pg_dump --format=custom --file=/backup/2026-03-01.dump authbus": _DUMP,
    (
        "pg_restore --exit-on-error --single-transaction --dbname=authbus /backup/2026-03-01.dump"
    ): _DUMP,
    'find /backup -maxdepth 1 -name "20*" -mtime +5 -exec rm -r {} +': _OLD,
    "find /backup/log -type f -mtime +5 -delete": _OLD,
    "make chaos": (
        "tests/chaos/run/test_runs.py::test_minutes_of_kills_and_broken_requests_break_no_promise"
    ),
    "make chaos PROFILE=full": f"tests/chaos/run/test_release.py::{_KEPT}",
    "make drill": (
        "tests/drill/test_drill.py::"
        "test_nobody_finds_a_difference_when_a_lost_database_was_recovered"
    ),
}

_KUBECTL = "tests/interop/test_kubectl.py::"
_ENTERED = f"{_KUBECTL}test_the_operators_pod_is_started_and_each_container_is_entered"
_LOST = f"{_KUBECTL}test_the_commands_that_restore_a_lost_database_are_taken_in_their_order"
_POSTGRES = f"{_KUBECTL}test_the_primary_is_named_and_psql_is_asked_for_there_with_our_database"
_KAFKA = f"{_KUBECTL}test_a_brokers_pod_is_found_and_entered"
# By kubectl at a stand-in for a cluster, the test that does so.
ON_KUBERNETES = {
    "kubectl -n kafka scale deployment/authbus-operator --replicas=1": _ENTERED,
    "kubectl -n kafka rollout status deployment/authbus-operator": _ENTERED,
    "kubectl -n kafka exec -it deployment/authbus-operator -c doctor -- authbus doctor": _ENTERED,
    "kubectl -n kafka exec -it deployment/authbus-operator -- authbus dead-letters list": _ENTERED,
    (
        "kubectl -n kafka annotate --overwrite scaledobject/authbus "
        "autoscaling.keda.sh/paused-replicas=0"
    ): f"{_KUBECTL}test_keda_is_told_to_rest_and_no_process_is_asked_for",
    "kubectl -n kafka scale deployment/authbus --replicas=0": _LOST,
    "kubectl -n kafka delete cluster.postgresql.cnpg.io/authbus-postgres": _LOST,
    "kubectl apply -k deploy/kubernetes-restore": _LOST,
    (
        "kubectl -n kafka wait --for=condition=Ready cluster.postgresql.cnpg.io/authbus-postgres "
        "--timeout=1h"
    ): _LOST,
    "kubectl -n kafka exec -it deployment/authbus-operator -c migrate -- authbus migrate": _LOST,
    "kubectl -n kafka exec deployment/authbus-operator -- cat recovery.json": _LOST,
    "kubectl -n kafka delete scheduledbackup.postgresql.cnpg.io/authbus-daily": _LOST,
    "kubectl -n kafka exec -it authbus-postgres-1 -c postgres -- psql authbus": _POSTGRES,
    "kubectl -n kafka get cluster.postgresql.cnpg.io/authbus-postgres": _POSTGRES,
    "kubectl apply -k": f"{_KUBECTL}test_the_folder_that_was_applied_last_is_applied_again",
    "kubectl -n kafka get pods -l strimzi.io/cluster=kafka": _KAFKA,
    "kubectl -n kafka exec -it POD -- bash": _KAFKA,
    "kubectl -n kafka port-forward deployment/authbus 8080": (
        f"{_KUBECTL}test_a_port_of_the_service_is_forwarded_to_ones_own_machine"
    ),
}


def told(*words: str) -> str:
    """The shortest command for Kubernetes that has all of these words."""
    found = [each for each in programs() if {"kubectl", *words} <= set(each.split())]
    return min(found, key=len)


def commands(heading: str) -> list[list[str]]:
    """The `authbus` commands under a heading, each as its arguments, comments left out."""
    section = _text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found = [shlex.split(line, comments=True) for line in _lines(section)]
    return [each[1:] for each in found if each[:1] == ["authbus"]]


def under(heading: str) -> list[str]:
    """What a paragraph, as that of an alert, says is to be run, in its order."""
    paragraph = _text().partition(f"\n### {heading}\n")[2]
    found = _lines(re.split(r"\n#{2,3} ", paragraph)[0])
    return [each.partition(" #")[0].rstrip() for each in found]


def named() -> list[list[str]]:
    """Every `authbus` command that the runbook names anywhere, each once, as its arguments."""
    return [shlex.split(each)[1:] for each in programs() if each.startswith("authbus ")]


def programs() -> list[str]:
    """Whatever the runbook says is to be run, in a block or in a sentence, each once."""
    found = [*_lines(_text()), *(each for each in spans() if re.fullmatch(_PROGRAM, each))]
    return list(dict.fromkeys(each.partition(" #")[0].rstrip() for each in found))


def _text() -> str:
    return _RUNBOOK.read_text(encoding="utf-8")


def _lines(text: str) -> Iterator[str]:
    for block in re.findall(_BLOCK, text, re.DOTALL):
        yield from (line.strip() for line in block.splitlines() if line.strip())


def spans() -> Iterator[str]:
    """What stands in backquotes in a sentence, on one line."""
    for each in re.findall(r"`([^`]+)`", re.sub(_BLOCK, "", _text(), flags=re.DOTALL)):
        yield " ".join(each.split())
