"""Legacy addresses of hooks, served by the same views."""

from flask import Flask

from funnel_app.campaigns.registry import Registry


def add_legacy_paths(app: Flask, registry: Registry) -> None:
    """Add every hook's legacy paths to its blueprint, so that the same authentication applies."""
    for campaign in registry.campaigns.values():
        for hook in campaign.hooks.values():
            view = app.view_functions[f"{hook.name}.receive_{hook.name}"]
            for path in hook.legacy_paths:
                _add(app, hook.name, path, view, campaign.name)


def _add(app: Flask, hook: str, path: str, view: object, campaign: str) -> None:
    endpoint = f"{hook}.legacy_{path.strip('/').replace('/', '_').replace('-', '_')}"
    app.add_url_rule(path, endpoint, view, methods=["POST"], defaults={"campaign": campaign})  # type: ignore[arg-type]
