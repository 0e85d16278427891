"""Parts of a template, prepared once, so that each letter is only filled in."""

from css_inline import CSSInliner, InlineError

from funnel_app.letters.plaintext import derive
from funnel_app.letters.render import Parts
from funnel_app.letters.styles.opaque import Opaque
from funnel_app.letters.tags import Protected, protect
from funnel_app.letters.words import printable

# Kept link tags are never fetched, from network or disk.
_INLINER = CSSInliner(load_remote_stylesheets=False, keep_link_tags=True)


def prepare(subject: str, html: str) -> Parts:
    """Return the parts of a version: styles inlined, text derived, every tag unchanged."""
    protected = protect(printable(html))
    page = inlined(protected) or protected.source
    return Parts(printable(subject), protected.restored(page), derive(protected, page))


def inlined(protected: Protected) -> str | None:
    """Return the page with its styles inlined, and what cannot be in the head; None if that would move a tag."""
    opaque = Opaque(protected)
    try:
        page: str = opaque.restored(_INLINER.inline(opaque.source))
    except InlineError:
        return None
    return page if protected.kept_by(page) else None
