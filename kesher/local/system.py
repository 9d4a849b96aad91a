"""Kesher on this machine: an emulated AWS with the deployed app in it, and the gateway."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from functions.shared import secret, sessions
from functions.shared.contracts import TenantId
from functions.shared.profile import BusinessProfile, load_profile, save_profile
from infra.cdk.settings import Settings
from kesher.local.deploy import Deployment, deploy
from kesher.local.emulator import Emulator
from kesher.local.environment import speaking_to
from kesher.local.gateway import Gateway, WhatsApp
from kesher.steps import Steps
from kesher.target import announced

LINK_SECONDS = 60.0


@dataclass(frozen=True)
class LocalSystem:
    """What runs."""

    emulator: Emulator
    deployment: Deployment
    gateway: Gateway

    def open_business(self, profile: BusinessProfile) -> None:
        """Store the profile, unless the business is known already, and ask the gateway to hold its session."""
        if load_profile(profile.tenant_id) is None:
            save_profile(profile)
        sessions.set_desired(profile.tenant_id, "linked")

    def link(self, tenant: TenantId, show_qr: Callable[[str], None], *, timeout: float = LINK_SECONDS) -> None:
        """Wait until the business's session can send; `show_qr` gets each QR code on the way.

        Raises processes.ProcessError after `timeout` seconds.
        """
        self.gateway.connect(tenant, show_qr, timeout=timeout)


@contextmanager
def local_system(
    state: Path,
    steps: Steps,
    *,
    whatsapp: WhatsApp,
    persist: bool = False,
    gateway_settings: Mapping[str, str] | None = None,
) -> Iterator[LocalSystem]:
    """Start everything, in order, and end everything that was started, whatever happens.

    While it runs, boto3 and PynamoDB of this process speak to the emulator.

    Parameters
    ----------
    state : Path
        Folder for logs and, with `persist`, for what the emulator holds.
    whatsapp : WhatsApp
        The real one, or a running simulator's.
    """
    with ExitStack() as stack:
        with steps.step("Start the local AWS"):
            emulator = stack.enter_context(Emulator(state / "aws", persist=persist))
        settings, model_key = _model(os.environ)
        deployment = deploy(emulator, settings, model_key=model_key, step=steps.step)
        environment = {**emulator.environment, **_of_functions(deployment)}
        stack.enter_context(speaking_to(environment))
        stack.enter_context(announced(state, environment))
        gateway = Gateway(
            aws=emulator.environment,
            table=deployment.gateway_table,
            session_index=deployment.session_index,
            media_bucket=deployment.media_bucket,
            webhook_url=deployment.webhook_url,
            secret_arn=deployment.internal_secret_arn,
            secret=secret.fetch().current,
            whatsapp=whatsapp,
            log=state / "gateway.log",
            extra=gateway_settings,
        )
        with steps.step("Start the gateway (Baileys)"):
            stack.callback(gateway.stop)
            gateway.start()
        yield LocalSystem(emulator, deployment, gateway)


def _model(environ: Mapping[str, str]) -> tuple[Settings, str | None]:
    """The model that the developer's environment names, and its key; with neither, the stand-in answers."""
    settings = Settings(
        openai_base_url=environ.get("OPENAI_BASE_URL") or None,
        openai_model=environ.get("OPENAI_MODEL") or None,
        openai_fallback_model=environ.get("OPENAI_FALLBACK_MODEL") or None,
    )
    return settings, environ.get("OPENAI_API_KEY") or None


def _of_functions(deployment: Deployment) -> dict[str, str]:
    """What `functions.shared` reads from a function's environment, for the use of it in this process."""
    return {
        "APP_TABLE": deployment.app_table,
        "GATEWAY_TABLE": deployment.gateway_table,
        "TURNS_QUEUE_URL": deployment.turns_queue_url,
        "OUTGOING_QUEUE_URL": deployment.outgoing_queue_url,
        "INTERNAL_SECRET_ARN": deployment.internal_secret_arn,
        "MODEL_SECRET_ARN": deployment.model_secret_arn,
        "FEED_URL": deployment.feed_url,
    }
