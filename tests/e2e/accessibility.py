"""What somebody cannot use of a page, as axe-core finds it."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

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
  const options = { resultTypes: ["violations"], preload: { assets: ["media"] } };
  const texts = [...document.querySelectorAll(among || "body *")].filter(first);
  const colours = texts.length ? await axe.run(texts, { ...options, runOnly: ["color-contrast"] }) : { violations: [] };
  const others = among ? { violations: [] } :
    await axe.run(document, { ...options, rules: { "color-contrast": { enabled: false } } });
  return [...colours.violations, ...others.violations].filter(each => ["serious", "critical"].includes(each.impact))
    .map(each => [each.id, each.nodes.map(node => node.target)]);
}"""


def bring_axe(page: Page) -> None:
    """Bring axe to a page, to be asked as often as is wanted."""
    page.evaluate(Axe().axe_script)


def violations(page: Page, among: str = "") -> list[list[object]]:
    """Return what is gravely wrong with a page that axe was brought to, and where; among some nodes, only colours."""
    found: list[list[object]] = page.evaluate(FIND_VIOLATIONS, among)
    return found
