"""The old addresses of hooks, each leading to the same view as the new one."""

from flask import Flask

from funnel_app.campaigns.registry import Registry

CALENDARS = {"calcom": ("/webhook/calcom-booking",)}


def add_legacy_paths(app: Flask, registry: Registry) -> None:
    """Open every hook's legacy paths, under its blueprint, so that the same proof guards them."""
    for campaign in registry.campaigns.values():
        paths = {name: hook.legacy_paths for name, hook in campaign.hooks.items()}
        for name, legacy in {**paths, **CALENDARS}.items():
            view = app.view_functions[f"{name}.receive_{name}"]
            for path in legacy:
                _add(app, name, path, view, campaign.name)


def _add(app: Flask, hook: str, path: str, view: object, campaign: str) -> None:
    endpoint = f"{hook}.legacy_{path.strip('/').replace('/', '_').replace('-', '_')}"
    app.add_url_rule(path, endpoint, view, methods=["POST"], defaults={"campaign": campaign})  # type: ignore[arg-type]
