"""What somebody cannot use of a page, as axe-core finds it."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page

# Not within a page's frames: axe would ask those too.
AXE = f"if (window.top === window) {{\n{Axe().axe_script}\n}}"
# Two thirds of axe's time are contrast, which it works out for each text. Texts of one style on grounds of one colour
# are read alike wherever they stand: two of each kind stand for all. (Of one letter axe says nothing.)
FIND_VIOLATIONS = """async among => {
  const grounds = new Map([[null, ""]]), kinds = {};
  const ground = node => {
    if (!grounds.has(node)) {
      const { backgroundColor, backgroundImage, opacity, position } = getComputedStyle(node);
      grounds.set(node, [ground(node.parentElement), backgroundColor, backgroundImage, opacity, position].join());
    }
    return grounds.get(node);
  };
  const first = each => {
    const says = [...each.childNodes].some(child => child.nodeType === Node.TEXT_NODE && child.data.trim());
    if (!each.checkVisibility() || !(says || each.matches("input, select, textarea"))) return false;
    const { color, fill, fontSize, fontWeight, textShadow } = getComputedStyle(each);
    const short = each.textContent.trim().length < 2;
    const kind = [each.tagName, short, color, fill, fontSize, fontWeight, textShadow, ground(each)].join();
    kinds[kind] = (kinds[kind] ?? 0) + 1;
    return kinds[kind] < 3;
  };
  const texts = [...document.querySelectorAll(among || "body *")].filter(first);
  for (const each of document.querySelectorAll("[data-asked]")) each.removeAttribute("data-asked");
  for (const each of texts) each.setAttribute("data-asked", "");
  axe.configure({ rules: [{ id: "color-contrast", selector: "[data-asked], [data-asked] *" }] });
  const only = among ? { runOnly: ["color-contrast"] } : {};
  const found = await axe.run(document, { ...only, resultTypes: ["violations"], preload: { assets: ["media"] } });
  return found.violations.filter(each => ["serious", "critical"].includes(each.impact))
    .map(each => [each.id, each.nodes.map(node => node.target)]);
}"""


def bring_axe(context: BrowserContext) -> None:
    """Bring axe to every page from now on, to be asked as often as is wanted.

    The browser keeps it and compiles it once; sending and compiling it again costs as much as loading the page.
    """
    context.add_init_script(AXE)


def violations(page: Page, among: str = "") -> list[list[object]]:
    """Return what is gravely wrong with a page that axe was brought to, and where; among some nodes, only colours."""
    found: list[list[object]] = page.evaluate(FIND_VIOLATIONS, among)
    return found
