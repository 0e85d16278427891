"""rq-dashboard's templates, patched on loading: only known versions, with their output escaped.

They insert values into scripts and HTML unescaped (https://github.com/Parallels/rq-dashboard/issues/526), and fetch
them, which a sandboxed document cannot. The hashes are of the versions that somebody reviewed.
"""

import hashlib
import re
from collections.abc import Callable, Mapping

from jinja2 import BaseLoader, Environment, TemplateNotFound

from funnel_app.web.console.queues.words import in_words

KNOWN: Mapping[str, str] = {
    "base.html": "1bf4f33567e813cc42bec259f19f1f0360bfcdfddf3ea50ea94af7fdbc7f75ea",
    "footer.html": "f83fbf0343878077d5db4d1cf9322f6f0127da682e800761452c7d2a54dde180",
    "inline_js.html": "bc2f4a86fee79ee5b335a29c476be7085067db149c63a883d444420db16c261c",
    "job.html": "d9de753e9d82795c0b0f79d9ad5eac84326e41d0e1bc4ef811ca6c93b72c926e",
    "jobs.html": "4e7c41bc0a15b0ea7018498d78ca2afc80d504e71e73e8f738d9ae03f4460262",
    "navbar.html": "a4723e800d40c8c897163345c523b3d91a3eb1b8bbf2903bbb91881b09094507",
    "queues.html": "df57de14c3a172b327f75ca320356197f99702a66cf19a5986d8671b0348c880",
    "workers.html": "122e24c87e2b003c38e71ac36f7f40a30fa5beed24bd0508bfb09458dd392853",
    "scripts/dashboard.js": "e43a50513d40343c2f433ecd79bc3a8133993ae9ddddf55454f06ff742b90fd0",
    "scripts/job.js": "9803613632d00dd4eea19bfd1ddaf401ad8d9549e4068bed5f596b556b7a844e",
    "scripts/jobs.js": "59df5f48c943ddd19cc7c6f416c81e6b26e1bb194970fcaba43e702b11b1f526",
    "scripts/queues.js": "17b41b22ac87a95fdc116a219273c03d112bfba0d764685da3c5e0e62deb92db",
    "scripts/workers.js": "f2bc56e927f50df31a2c2e67a7cc2bb29e6d5344fe4e7a281e6f8660f4443cd4",
}
FOLDER = "rq_dashboard/"
# Underscore's `<%= %>` does not escape and `<%- %>` does; a few places escape themselves, which would then happen
# twice.
TWICE_ESCAPED = re.compile(r"\$\('<div/>'\)\.text\(([\w.]+)\)\.html\(\)")
PRINTED_INTO_JS = re.compile(r"'\{\{ ([\w.]+) \}\}'")
BRAND = '<a class="navbar-brand">RQ-dashboard</a>'
INLINE = '<script type="text/javascript">'
SCRIPT = re.compile(r'<script(?= (?:src|type="text/javascript"))')


class PatchedTemplates(BaseLoader):
    """Loads rq-dashboard's templates through its own loader; an unknown version raises an error."""

    def __init__(self, theirs: BaseLoader) -> None:
        self._theirs = theirs

    def get_source(self, environment: Environment, template: str) -> tuple[str, str | None, Callable[[], bool] | None]:
        """Return the patched source of a template."""
        name = template.removeprefix(FOLDER)
        if not template.startswith(FOLDER) or name not in KNOWN:
            raise TemplateNotFound(template)
        source, path, fresh = self._theirs.get_source(environment, template)
        if hashlib.sha256(source.encode()).hexdigest() != KNOWN[name]:
            raise RuntimeError(f"{path} is not the text that was read for safety: read it, then fix {__name__}.KNOWN")
        return patched(source), path, fresh


def patched(source: str) -> str:
    """Return a source with escaped output, a nonce on its own scripts only, and the owner's words."""
    source = TWICE_ESCAPED.sub(r"\1", source).replace("<%=", "<%-")
    source = PRINTED_INTO_JS.sub(r"{{ \1|tojson }}", source)
    source = source.replace(INLINE, '{% include "rq_data.html" %}' + INLINE)
    source = in_words(source).replace(BRAND, '{% include "rq_brand.html" %}')
    return SCRIPT.sub('<script nonce="{{ rq_nonce() }}"', source)
