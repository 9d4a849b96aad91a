"""The gateway as a process on this machine, linked to the simulated or to the real WhatsApp."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import requests

from functions.shared.contracts import PairingCode, SessionStatus, TenantId
from kesher.local.processes import ManagedProcess, free_port, url_answers

ROOT = Path(__file__).resolve().parents[2]
MAIN = ROOT / "baileys-ecs" / "dist" / "main.js"
TRUST_PRELOAD = ROOT / "simulator" / "dist" / "trust.js"

# What a program of Node needs of this machine; everything else it is told by name.
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS")


@dataclass(frozen=True)
class WhatsApp:
    """The server that the gateway speaks to: the real one by default."""

    url: str | None = None
    trust_root: str | None = None
    """Hex of the simulator's root key; makes the gateway's process trust the simulator instead of WhatsApp."""
    media_url: str | None = None
    """The simulator's media servers, in place of WhatsApp's; goes with `trust_root`."""


class Gateway:
    """`node baileys-ecs/dist/main.js` with its settings, and its HTTP API.

    Parameters
    ----------
    aws : mapping
        The variables that point an AWS SDK at the emulator.
    table, session_index, media_bucket, webhook_url, secret_arn : str
        The gateway table, its index of the sessions, the bucket for media, the webhook's full URL, and where the
        internal secret is.
    secret : str
        The internal secret in force, for calls to the gateway's API.
    whatsapp : WhatsApp
    log : Path
    extra : mapping, optional
        More settings of the gateway, by their names in `baileys-ecs/README.md`.
    """

    def __init__(
        self,
        *,
        aws: Mapping[str, str],
        table: str,
        session_index: str,
        media_bucket: str,
        webhook_url: str,
        secret_arn: str,
        secret: str,
        whatsapp: WhatsApp,
        log: Path,
        extra: Mapping[str, str] | None = None,
    ) -> None:
        self.port = free_port()
        preload: list[str | Path] = ["--import", TRUST_PRELOAD] if whatsapp.trust_root else []
        environment = {
            **{name: os.environ[name] for name in _INHERITED if name in os.environ},
            **aws,
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "GATEWAY_TABLE": table,
            "SESSION_INDEX": session_index,
            "MEDIA_BUCKET": media_bucket,
            "WEBHOOK_URL": webhook_url,
            # The emulator checks the signature of function URLs as AWS does.
            "WEBHOOK_AUTH": "iam",
            "INTERNAL_SECRET_ARN": secret_arn,
            **({"WA_WEBSOCKET_URL": whatsapp.url} if whatsapp.url else {}),
            **({"WA_SIMULATOR_ROOT": whatsapp.trust_root} if whatsapp.trust_root else {}),
            **({"WA_SIMULATOR_MEDIA": whatsapp.media_url} if whatsapp.media_url else {}),
            **(extra or {}),
        }
        self.process = ManagedProcess("The gateway", ["node", *preload, MAIN], log=log, env=environment)
        self._secret = secret
        self._http = requests.Session()
        self._http.trust_env = False  # never through a proxy: it listens on 127.0.0.1

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, more: Mapping[str, str] | None = None) -> None:
        """Start, again if it was killed, and wait until it answers. `more` settings are for this time only."""
        self.process.start(more)
        self.process.wait_ready(url_answers(f"{self.url}/health"))

    def stop(self) -> None:
        self.process.stop(grace=25)

    def status(self, tenant: TenantId) -> SessionStatus | None:
        """The session's state, or None while the gateway does not hold that session."""
        answer = self._get(f"/whatsapp/{tenant}/status")
        return None if answer is None else SessionStatus.model_validate_json(answer)

    def pairing_code(self, tenant: TenantId) -> PairingCode | None:
        """What the owner's phone has to scan, or None if there is nothing to scan now."""
        answer = self._get(f"/whatsapp/{tenant}/qr")
        return None if answer is None else PairingCode.model_validate_json(answer)

    def connect(self, tenant: TenantId, show_qr: Callable[[str], None], *, timeout: float) -> None:
        """Wait until the session can send; hand each new QR to `show_qr` on the way.

        Raises
        ------
        ProcessError
            The gateway ended, or `timeout` seconds passed.
        """
        shown: set[str] = set()

        def ready() -> bool:
            status = self.status(tenant)
            if status is not None and status.can_send:
                return True
            code = self.pairing_code(tenant)
            if code is not None and code.qr not in shown:
                shown.add(code.qr)
                show_qr(code.qr)
            return False

        self.process.wait_ready(ready, timeout)

    def _get(self, path: str) -> bytes | None:
        headers = {"X-Internal-Secret": self._secret}
        answer = self._http.get(self.url + path, headers=headers, timeout=10)
        if answer.status_code == 404:
            return None
        answer.raise_for_status()
        return answer.content
