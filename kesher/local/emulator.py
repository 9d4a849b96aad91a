"""The local AWS: one ministack process with a port, a state folder and credentials of its own.

with Emulator(Path(".kesher/emulator")) as emulator:
    boto3.client("dynamodb", endpoint_url=emulator.endpoint, ...)
    subprocess.run(["cdk", "deploy"], env=emulator.child_environment())
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import boto3
from botocore.credentials import Credentials

from kesher.local.processes import ManagedProcess, ProcessError, free_port, url_answers

REGION = "eu-west-1"
ACCOUNT = "000000000000"
START_TIMEOUT_SECONDS = 60.0
_PORT_ATTEMPTS = 3

# What a function may see of the developer's environment. Lambda workers inherit the emulator's, and on AWS they see
# nothing of it: a model key found there would make a local deployment work that fails on AWS.
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")


class Emulator:
    """A context manager around ministack.

    Parameters
    ----------
    state_dir : Path
        Folder of its own for the log, temporary files and, with `persist`, the state.
    persist : bool
        Keep tables, queues and functions over a restart. The port is kept too: queue URLs hold it.
    enforce_permissions : bool
        Refuse what the role of a function does not allow. For tests of the policies: the command line of CDK cannot
        deploy into it, so deploy first, then restart with this.
    """

    def __init__(self, state_dir: Path, *, persist: bool = False, enforce_permissions: bool = False) -> None:
        self.state_dir = state_dir.resolve()
        self.persist = persist
        self.enforce_permissions = enforce_permissions
        # The CDK command line caches the account by access key, so each emulator has a fresh one. Not twelve digits:
        # ministack would take that as the account's number.
        self.access_key = f"LOCAL{secrets.token_hex(8).upper()}"
        self._secret_key = secrets.token_hex(20)
        self._port = 0
        self._process: ManagedProcess | None = None

    @property
    def log(self) -> Path:
        return self.state_dir / "emulator.log"

    @property
    def pid(self) -> int | None:
        """Of ministack; None while it is not running."""
        return self._process.pid if self._process is not None and self._process.running else None

    @property
    def endpoint(self) -> str:
        """The URL of every service, for example `http://127.0.0.1:43211`."""
        if self._port == 0:
            message = "The emulator has not been started."
            raise ProcessError(message)
        return f"http://127.0.0.1:{self._port}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that point any AWS SDK or command line at this emulator and at nothing else."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self._secret_key,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            # Otherwise some operations go to `data-<host>`, which no resolver knows.
            "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def child_environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """A whole environment for a child: this process's without any `AWS_*`, then the emulator's, then `extra`."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {**own, **_no_proxy(), **self.environment, **(extra or {})}

    @property
    def credentials(self) -> Credentials:
        return Credentials(self.access_key, self._secret_key)

    def session(self) -> boto3.Session:
        """A boto3 session with its credentials; give each client `endpoint_url=emulator.endpoint`."""
        return boto3.Session(
            aws_access_key_id=self.access_key, aws_secret_access_key=self._secret_key, region_name=REGION
        )

    def start(self) -> Self:
        """Start and wait until it is healthy.

        Raises
        ------
        ProcessError
            It did not come up; the message holds the end of its log.
        """
        self._clean()
        # Another program may take the port between our choosing it and ministack's binding it.
        for attempt in range(1, _PORT_ATTEMPTS + 1):
            self._port = self._choose_port() if attempt == 1 else free_port()
            self._process = ManagedProcess("The emulator (ministack)", [_ministack()], log=self.log, env=self._own())
            self._process.start()
            try:
                self._process.wait_ready(url_answers(f"{self.endpoint}/_ministack/health"), START_TIMEOUT_SECONDS)
            except ProcessError:
                taken = "in use" in self._process.tail()
                self.stop()
                if not taken or attempt == _PORT_ATTEMPTS:
                    raise
            else:
                break
        if self.persist:
            (self.state_dir / "port").write_text(str(self._port))
        return self

    def stop(self) -> None:
        """End the emulator and its Lambda workers. Without `persist`, its state is gone."""
        if self._process is not None:
            self._process.stop()
            self._process = None
        self._clean()

    def tail(self, count: int = 20) -> str:
        """The last lines of the log."""
        return "" if self._process is None else self._process.tail(count)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _own(self) -> dict[str, str]:
        inherited = {name: os.environ[name] for name in (*_INHERITED, *_PROXIES) if name in os.environ}
        return {
            **inherited,
            **_no_proxy(),
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self._port),
            "MINISTACK_REGION": REGION,
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "LAMBDA_EXECUTOR": "local",
            # Otherwise they listen on fixed ports, on every interface.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "AUTH": "true" if self.enforce_permissions else "false",
            "PERSIST_STATE": "1" if self.persist else "0",
            "STATE_DIR": str(self.state_dir / "state"),
            # Each worker unpacks its bundle there; a killed emulator leaves them behind, the next start removes them.
            "TMPDIR": str(self._temporary),
            **self.environment,
        }

    @property
    def _temporary(self) -> Path:
        return self.state_dir / "tmp"

    def _clean(self) -> None:
        shutil.rmtree(self._temporary, ignore_errors=True)
        self._temporary.mkdir(parents=True, exist_ok=True)

    def _choose_port(self) -> int:
        if self.persist:
            with contextlib.suppress(FileNotFoundError, ValueError):
                return int((self.state_dir / "port").read_text())
        return free_port()


def _no_proxy() -> dict[str, str]:
    listed = [part for part in os.environ.get("NO_PROXY", os.environ.get("no_proxy", "")).split(",") if part]
    names = ",".join([*listed, *(host for host in ("127.0.0.1", "localhost") if host not in listed)])
    return {"NO_PROXY": names, "no_proxy": names}


def _ministack() -> Path:
    """The program of the running interpreter's own environment, whatever is on PATH."""
    program = Path(sys.executable).parent / "ministack"
    if not program.exists():
        message = f"{program} is missing: install requirements/dev.txt into this environment."
        raise ProcessError(message)
    return program
