"""Runs the AWS CLI without paying for its start each time.

The program in this file is run by the CLI's own interpreter. It imports the unmodified CLI once; for
each command it forks, and the child does what the script `aws` does. A command has its own process,
environment, directory and output as ever.
"""

import json
import os
import subprocess
import sys
import tempfile
import traceback


def serve():
    """Reads a command a line, and writes a line when it has ended."""
    before = dict(os.environ)
    import awscli.clidriver
    import awscli.handlers  # noqa: F401
    import botocore.endpoint  # noqa: F401
    import botocore.httpsession  # noqa: F401
    import botocore.paginate  # noqa: F401
    import botocore.signers  # noqa: F401
    import botocore.waiter  # noqa: F401

    # The CLI's package names its data files in the environment when it is imported.
    own = {name: value for name, value in os.environ.items() if name not in before}
    for line in sys.stdin:
        command = json.loads(line)
        child = os.fork()
        if child == 0:
            code = 255
            try:
                become(command, own)
                code = awscli.clidriver.main()
            except SystemExit as end:
                code = end.code or 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code if isinstance(code, int) else 1)
        _, status = os.waitpid(child, 0)
        print(json.dumps(os.waitstatus_to_exitcode(status)), flush=True)


def become(command, own):
    """Makes this process the one that a shell would have started."""
    for number, path, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, command["out"], os.O_WRONLY),
        (2, command["err"], os.O_WRONLY),
    ):
        os.dup2(os.open(path, flags), number)
    os.chdir(command["cwd"])
    os.environ.clear()
    os.environ.update(command["env"] | own)
    sys.argv = ["aws", *command["words"]]


class Warm:
    """A CLI that has started already."""

    def __init__(self, path):
        with open(path, "rb") as script:
            first = script.readline().decode("utf-8", "replace").strip()
        if not (first.startswith("#!") and "python" in first):
            raise OSError(f"{path} is no Python script")
        self.process = subprocess.Popen(
            [*first[2:].split(), os.path.abspath(__file__)],
            env={"PATH": os.environ.get("PATH", os.defpath), "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )

    def run(self, words, env, cwd):
        """Runs a command; returns what `subprocess.run` would."""
        with tempfile.NamedTemporaryFile() as out, tempfile.NamedTemporaryFile() as err:
            command = {"words": list(words), "env": env, "cwd": cwd, "out": out.name, "err": err.name}
            self.process.stdin.write(json.dumps(command) + "\n")
            self.process.stdin.flush()
            code = json.loads(self.process.stdout.readline())
            text = [file.read().decode("utf-8", "replace") for file in (out, err)]
        return subprocess.CompletedProcess(words, code, *text)

    def close(self):
        """Ends it."""
        self.process.stdin.close()
        self.process.wait(10)


if __name__ == "__main__":
    serve()
