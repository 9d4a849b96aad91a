"""The AWS that this process speaks to."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from functions.shared import aws


@contextmanager
def speaking_to(variables: Mapping[str, str]) -> Iterator[None]:
    """Within it, boto3 and `functions.shared` of this process use these variables of the environment."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    aws.forget()
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        aws.forget()
