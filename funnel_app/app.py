"""The web application: the list of its parts."""

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from funnel_app.commands.cli import CommandLine
from funnel_app.current import keep_deps
from funnel_app.deps import Deps
from funnel_app.web import docs, error_pages, front_door, health, metrics, playbook, unsubscribe
from funnel_app.web.application import Application
from funnel_app.web.bounded_request import BoundedRequest, StrictJson
from funnel_app.web.console.plug import init_app
from funnel_app.web.errors import register_errors
from funnel_app.web.hooks import booking, calcom, calendly, maybe, noshow, onboarding, resend, signup
from funnel_app.web.hooks.legacy_paths import add_legacy_paths
from funnel_app.web.legacy import prefect
from funnel_app.web.middleware import install_middleware
from funnel_app.web.openapi import make_api


def create_app(deps: Deps) -> Flask:
    """Return the web application of this process, built from the given collaborators."""
    app = Application("funnel_app", static_folder=None)
    app.request_class = BoundedRequest
    # A trailing slash makes no difference.
    app.url_map.strict_slashes = app.url_map.merge_slashes = False
    app.config["SECRET_KEY"] = deps.settings.session_key
    hops = deps.settings.trusted_proxies
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=0)  # type: ignore[method-assign]

    app.json = StrictJson(app)
    keep_deps(app, deps)
    install_middleware(app)
    error_pages.init_app(app)
    api = make_api(app, deps.settings.public_url)
    for hook in (signup, noshow, maybe, onboarding, booking, calendly, calcom):
        api.register_blueprint(hook.blueprint)
    add_legacy_paths(app, deps.registry)
    app.register_blueprint(prefect.blueprint, url_prefix="/api")
    app.register_blueprint(prefect.blueprint, url_prefix="/k/<legacy_key>/api", name="prefect_by_key")
    app.register_blueprint(resend.blueprint)
    app.register_blueprint(front_door.blueprint)
    app.register_blueprint(docs.blueprint)
    app.register_blueprint(health.blueprint)
    app.register_blueprint(metrics.blueprint)
    app.register_blueprint(unsubscribe.blueprint)
    app.register_blueprint(playbook.blueprint)
    init_app(app)
    register_errors(app)

    app.cli = CommandLine(app.name)
    return app
