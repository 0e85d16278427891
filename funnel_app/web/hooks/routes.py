"""The old addresses of hooks, each leading to the same view as the new one."""

from collections.abc import Callable
from typing import Any

from flask import Flask

from funnel_app.campaigns.registry import Registry


def add_legacy_paths(app: Flask, registry: Registry, hook_name: str, view: Callable[..., Any]) -> None:
    """Open a hook's legacy paths, under its blueprint, so that the same proof guards them."""
    for campaign in registry.campaigns.values():
        for path in campaign.hooks[hook_name].legacy_paths if hook_name in campaign.hooks else ():
            endpoint = f"{hook_name}.legacy_{path.strip('/').replace('/', '_').replace('-', '_')}"
            app.add_url_rule(path, endpoint, view, methods=["POST"], defaults={"campaign": campaign.name})
