"""A template made ready once, so that each letter is only filled in."""

from css_inline import CSSInliner, InlineError

from funnel_app.letters.plaintext import derive
from funnel_app.letters.render import Parts
from funnel_app.letters.tags import Protected, protect
from funnel_app.letters.words import printable

# Kept link tags are also never opened: neither the network nor a local file is read.
_INLINER = CSSInliner(load_remote_stylesheets=False, keep_link_tags=True, keep_at_rules=True)


def prepare(subject: str, html: str) -> Parts:
    """Return the parts of one version: styles inlined, the text derived, every tag as it was."""
    protected = protect(printable(html))
    page = _inlined(protected)
    return Parts(printable(subject), protected.restored(page), derive(protected, page))


def _inlined(protected: Protected) -> str:
    """Inline the styles, or leave the page as it is where that would lose or move a tag."""
    try:
        page: str = _INLINER.inline(protected.hiding_blocks())
    except InlineError:
        return protected.source
    return page if protected.kept_by(page) else protected.source
