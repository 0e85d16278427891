"""A made letter looks as its template does: a browser works out the same styles for both, on each screen."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from funnel_app.letters.engine import fill
from funnel_app.letters.parts import prepare

PAGE = """<!doctype html><html><head>
<style>
@import url("https://fonts.example/inter.css");
@font-face { font-family: Own; src: url(https://fonts.example/own.woff2) }
p { color: #333; margin: 0 } .box { padding: 20px; width: 500px } .muted { color: #999 } td { padding: 4px }
.cta { background: #204020; color: #fff } a:hover { color: #0000ff } .red { color: #cc0000 } .hero { width: 120px }
p::before { content: "" } u + .body p { margin: 9px } [data-ogsc] p { color: #fff }
table { width: 90% } .only-phone { display: none }
@media (max-width: 600px) {
  .box { padding: 5px; width: 100% } table { width: 100% } .only-phone { display: block } td { padding: 1px !important }
}
@media (prefers-color-scheme: dark) { body { background: #111 } p { color: #eee } }
</style>
<style media="print">.cta { display: none } p { color: #000 }</style>
<style media="(max-width:600px)">.muted { font-size: 11px }</style>
<!--[if mso]><style>.mso { width: 600px }</style><![endif]-->
</head><body class="body">
<!--[if mso]><table class="mso"><tr><td><![endif]-->
<div class="box"><p>One</p><p class="muted">Two</p><p style="color:#0000aa">Three</p>
<p class="only-phone">Four</p></div>
<p class="{{ tone }}">Five</p><p class="muted {% if urgent %}red{% endif %}">Six</p><p class="red">Seven</p>
<table class="hero"><tr>
<td{% if urgent %} bgcolor="#ff0000"{% else %} style="padding:7px"{% endif %}>Eight</td></tr></table>
<table><tr><td {% if urgent %}class="cta"{% endif %}><a class="cta" href="#a">Nine</a></td></tr></table>
</body></html>"""
COMPUTED = """() => [...document.body.querySelectorAll('*')].map(node => {
  const style = getComputedStyle(node);
  return [node.textContent.trim(), style.color, style.backgroundColor, style.padding, style.margin, style.display,
          style.fontSize, node.parentElement.clientWidth, style.width].join(' | ');
})"""
VALUES = ({"tone": "red", "urgent": True}, {"tone": "muted", "urgent": False})


@pytest.fixture(scope="module")
def screen(browser: Browser) -> Iterator[Page]:
    """A screen without a network, of whatever width and colours a test wants."""
    context = browser.new_context(offline=True)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize(
    ("width", "scheme", "media"),
    [(360, "light", "screen"), (800, "light", "screen"), (800, "dark", "screen"), (800, "light", "print")],
)
def test_a_letter_looks_as_its_template(screen: Page, width, scheme, media):
    made = prepare("Hello", PAGE).html
    screen.set_viewport_size({"width": width, "height": 600})
    screen.emulate_media(media=media, color_scheme=scheme)
    for values in VALUES:
        seen = []
        for source in (PAGE, made):
            screen.mouse.move(0, 0)
            screen.set_content(fill(source, values, html=True))
            seen.append(
                [*screen.evaluate(COMPUTED), screen.evaluate("getComputedStyle(document.body).backgroundColor")]
            )
            if media == "screen":
                screen.hover("a")
            seen[-1].append(screen.evaluate("getComputedStyle(document.querySelector('a')).color"))
        assert seen[0] == seen[1]
