"""coolify.json: its schema, and the source of the code."""

import json
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, ValidationError, fields


class NotApplicable(Exception):
    """The descriptor, the values or Coolify do not allow this; the message says what to do."""


class _Redis(Schema):
    name = fields.Str(required=True)
    image = fields.Str(required=True)
    conf = fields.List(fields.Str(), required=True)


class _Volume(Schema):
    name = fields.Str(required=True)
    mount_path = fields.Str(required=True)


class _Env(Schema):
    fixed = fields.Dict(fields.Str(), fields.Str(), required=True)
    from_redis = fields.Str(required=True)
    domain_from = fields.Str(required=True)
    required = fields.List(fields.Str(), required=True)
    secret = fields.List(fields.Str(), required=True)
    optional_secret = fields.List(fields.Str(), required=True)
    optional = fields.List(fields.Str(), required=True)


class DescriptorSchema(Schema):
    """The schema of coolify.json."""

    comment = fields.Str(data_key="$comment")
    version = fields.Int(required=True, validate=lambda version: version == 1)
    project = fields.Str(required=True)
    environment = fields.Str(required=True)
    redis = fields.Nested(_Redis, required=True)
    application = fields.Dict(fields.Str(), required=True)
    volumes = fields.List(fields.Nested(_Volume), required=True)
    env = fields.Nested(_Env, required=True)


@dataclass(frozen=True)
class Source:
    """The source of the code: a repository, and for a private one a deploy key or a GitHub app."""

    repository: str | None = None
    private_key_uuid: str | None = None
    github_app_uuid: str | None = None
    server: str | None = None

    def kind(self) -> tuple[str, dict[str, str]]:
        """Return the kind of application that Coolify creates from it, and that kind's fields."""
        if self.private_key_uuid:
            return "private-deploy-key", {"private_key_uuid": self.private_key_uuid}
        if self.github_app_uuid:
            return "private-github-app", {"github_app_uuid": self.github_app_uuid}
        return "public", {}


def read_descriptor(text: str) -> dict[str, Any]:
    """Return the descriptor; NotApplicable names every fault."""
    try:
        return dict(DescriptorSchema().load(json.loads(text)))
    except json.JSONDecodeError as fault:
        raise NotApplicable(f"coolify.json is not JSON: {fault}") from None
    except ValidationError as fault:
        raise NotApplicable(f"coolify.json: {fault.messages}") from None
