"""What an operator may choose, typed.

Each setting comes from the CDK context (`npx cdk deploy --all -c alarmEmail=ops@example.com`, or `context` in
cdk.json), else from the environment (`KESHER_ALARM_EMAIL`), else it is the default below.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

GATEWAY_PORT = 8080
WEBHOOK_PATH = "api/whatsapp/webhook/incoming"
"""Of the webhook, under its function URL."""
AGENT_TIMEOUT_SECONDS = 90
SEND_TIMEOUT_SECONDS = 90


class SettingsError(Exception):
    """A setting is unknown or has no meaning; the text names it."""


class Settings(BaseModel):
    """All settings of one environment. Under another `prefix`, a second environment fits into the same account."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    prefix: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,30}$")] = "Kesher"
    """Of the names of stacks, functions, queues and alarms; and the namespace of the metrics."""
    bundles: Literal["lambda", "local"] = "lambda"
    """`local`: for the platform and interpreter of this machine, where the emulator runs the functions."""
    gateway_image: str | None = None
    """A registry's reference, for example `123456789012.dkr.ecr.eu-west-1.amazonaws.com/kesher:1`. Without it, the
    image is built from baileys-ecs/Dockerfile, which needs Docker at deploy time, not at synth."""
    gateway_tasks: Annotated[int, Field(ge=0, le=20)] = 1
    gateway_cpu: Literal[256, 512, 1024, 2048, 4096] = 256
    gateway_memory: Annotated[int, Field(ge=512, le=30720)] = 512
    """MiB; must be one of the pairs that Fargate offers for `gateway_cpu`."""
    endpoint_zones: Annotated[int, Field(ge=1, le=2)] = 1
    """Zones with a Secrets Manager endpoint, each about 7.30 USD a month. With one, losing its zone delays sends."""
    debounce_seconds: Annotated[int, Field(ge=0, le=900)] = 1
    """How long a doorbell waits, so that messages written in one breath get one answer."""
    turns_concurrency: Annotated[int, Field(ge=2, le=1000)] = 4
    """Conversations that the agent answers at the same time. A new account has 10 concurrent executions in all."""
    sends_concurrency: Annotated[int, Field(ge=2, le=1000)] = 4
    openai_base_url: str | None = None
    """Of any OpenAI-compatible server; without it, OpenAI's."""
    openai_model: str | None = None
    """Without it, the default of functions/agent."""
    openai_fallback_model: str | None = None
    """Asked when the first model fails or is too slow, of the same server. Without it, a person is called then."""
    alarm_email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")] | None = None
    """Who is told of alarms; AWS asks that address to confirm first."""
    media_retention_days: Annotated[int, Field(ge=1, le=3650)] = 90
    """How long pictures, voice notes and documents of customers are kept."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_retention_days: Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365] = 30

    @classmethod
    def load(cls, context: Callable[[str], object], environ: Mapping[str, str]) -> Settings:
        """Read every setting that is given. `context` is `app.node.try_get_context`.

        Raises
        ------
        SettingsError
            A value has no meaning.
        """
        given: dict[str, object] = {}
        for name in cls.model_fields:
            value = context(to_camel(name))
            if value is None:
                value = environ.get(f"KESHER_{name.upper()}") or None
            if value is not None:
                given[name] = value
        try:
            return cls.model_validate(_numbers(given))
        except ValidationError as error:
            problems = "; ".join(f"{to_camel(str(part['loc'][0]))}: {part['msg']}" for part in error.errors())
            message = f"Settings of the CDK app: {problems}. infra/cdk/settings.py lists them."
            raise SettingsError(message) from error


def _numbers(given: dict[str, object]) -> dict[str, object]:
    """Context from the command line and the environment are text, which pydantic does not take for a literal number."""
    return {
        name: int(value) if isinstance(value, str) and value.isdecimal() else value for name, value in given.items()
    }
