"""Every way to end has its exit code, one line on stderr, and no cell of a table in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

import fabrica


def run(*words, code=""):
    """The real program in a process of its own; ``code`` runs before it."""
    program = f"{code}\nfrom fabrica.cli import main\nmain({list(words)!r})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def breaking(error):
    return f"import fabrica.catalog as c\ndef boom(family):\n    raise {error}\nc.names = boom"


def test_version_and_help_are_zero():
    assert run("--version")[:2] == (0, f"fabrica {fabrica.__version__}\n")
    for words in (["--help"], ["-h"], []):
        code, out, _ = run(*words)
        assert code == 0 and "Exit codes" in out and "130" in out


@pytest.mark.parametrize("words", [["synth"], ["synth", "a.csv"], ["fitt"], ["fit", "--bogus"], ["list", "bogus"],
                                   ["sample", "m.fab", "-n", "0"], ["fit", "a.csv", "-o", "m.fab", "--budget", "soon"],
                                   ["fit", "a.csv", "-o", "m.fab", "--seed", "x"],
                                   ["sample", "m.fab", "-n", "5", "--json"],
                                   ["evaluate", "--real", "a", "--synthetic", "b", "--require", "detector"],
                                   ["evaluate", "--real", "a", "--synthetic", "b", "--protected", " "],
                                   ["gate", "out", "--protected", ""]])
def test_bad_usage_is_two_and_one_line(words):
    code, out, err = run(*words)
    assert code == 2 and err.count("\n") == 1
    if "--json" not in words:
        assert out == "" and err.startswith("fabrica: ")


def test_an_unknown_command_is_answered_with_those_that_are():
    assert "there are: synth, fit, sample" in run("ctgan")[2]


def test_errors_are_objects_for_machines():
    code, out, err = run("fitt", "--json")
    assert json.loads(out)["exit_code"] == code == 2 and json.loads(out)["error"] == "UsageError"
    assert json.loads(out)["message"] in err


def test_a_fault_of_ours_shows_no_message_of_the_error():
    code, out, err = run("list", code=breaking("ValueError('Anna Schmidt, 4711')"))
    assert code == 2 and err.count("\n") == 1 and "Anna" not in err + out
    assert "ValueError" in err and "--debug" in err and fabrica.__version__ in err


def test_debug_shows_the_traceback():
    _, _, err = run("list", "--debug", code=breaking("ValueError('Anna')"))
    assert "Traceback" in err and "Anna" in err


@pytest.mark.parametrize(("error", "words"), [
    ("OSError(28, 'No space left on device', 'out/data.csv')", "out/data.csv: No space left on device"),
    ("MemoryError()", "not enough memory"), ("PermissionError(13, 'Permission denied')", "Permission denied")])
def test_what_the_computer_lacks_is_said_plainly(error, words):
    code, _, err = run("list", code=breaking(error))
    assert code == 2 and words in err and "fault of ours" not in err


def test_our_own_errors_keep_their_code():
    own = breaking("InputError('is empty', where='a.csv')")
    code, _, err = run("list", code=f"from fabrica.errors import InputError\n{own}")
    assert (code, err) == (2, "fabrica: a.csv: is empty\n")


def test_interrupted_is_130():
    code, _, err = run("list", code=breaking("KeyboardInterrupt"))
    assert code == 130 and err.count("\n") == 1 and "stopped" in err


def test_a_signal_that_fell_into_compiled_code_is_no_fault_of_ours():
    raised = breaking("SystemError('returned a result with an exception set')")
    code, _, err = run("list", code=f"from fabrica.cli.stop import STOP\nSTOP.first = 1.0\n{raised}")
    assert code == 130 and "stopped" in err and "fault" not in err


@pytest.mark.skipif(os.name == "nt", reason="pipes of a POSIX shell")
@pytest.mark.parametrize("words", ["list", "--help", "list --json"])
def test_a_reader_that_leaves_is_no_error(words):
    line = f"set -o pipefail; {sys.executable} -m fabrica {words} | true"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell):
    code, out, _ = run("completion", shell)
    assert code == 0 and "_FABRICA_COMPLETE" in out


def complete(line):
    """What the shell would be offered for the last word of a line."""
    words = line.split(" ")
    env = {**os.environ, "_FABRICA_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    program = [sys.executable, "-c", "from fabrica.cli import main; main([])"]
    done = subprocess.run(program, env=env, capture_output=True, text=True)
    return {answer.split(",")[1] for answer in done.stdout.splitlines()}


def test_the_shell_completes_commands_options_and_engines():
    assert complete("fabrica s") == {"synth", "sample"}
    assert "--engine" in complete("fabrica fit --e")
    assert {"independent", "trees"} <= complete("fabrica fit --engine ")


@pytest.mark.skipif(os.name == "nt", reason="needs a shell that closes a stream")
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams_are_nobody_listening(closed):
    done = subprocess.run(f"{sys.executable} -m fabrica list engines {closed}", shell=True, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a disk that is always full")  # noqa: PTH110
def test_an_error_that_nobody_can_hear_keeps_its_exit_code():
    done = subprocess.run(f"{sys.executable} -m fabrica nonsense 2>/dev/full", shell=True)
    assert done.returncode == 2
