"""The templates in Notion, and who judges them."""

import pickle
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any, ClassVar

from funnel_app.gateways.letters.frames import draft_out, pack
from funnel_app.gateways.notion.pages import answering
from funnel_app.gateways.notion.templates import Page
from funnel_app.letters.validation.draft import Draft, Verdict
from funnel_app.letters.validation.judge import judge
from tests.once import once_a_run


class FakeNotebook:
    """The templates that Notion has now; a page written as "key copy" is a second one of that name."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.code: dict[str, str] = {}
        self.fault: Exception | None = None
        self.trashed: list[str] = []
        self.asked: list[str] = []

    def write(
        self,
        key: str,
        subject: str = "Hello",
        html: str = "<p>Hi {{ first_name }}</p>",
        status: str = "Active",
        **more: Any,
    ) -> None:
        self.pages[key] = Page(
            id=f"page-{key}",
            name=key.removesuffix(" copy"),
            subject=subject,
            html=html,
            status=status,
            **{"url": "", "last_edited": "", **more},
        )

    def whoami(self) -> str:
        if self.fault:
            raise self.fault
        return "Funnel (BusinessX)"

    def find_templates(self, key: str, aliases: Sequence[str] = ()) -> list[Page]:
        self._ask(key)
        return [self.whole(page) for page in answering(self.pages.values(), key, aliases)]

    def list_templates(self) -> list[Page]:
        self._ask("all")
        return list(self.pages.values())

    def whole(self, page: Page) -> Page:
        if page.html.strip() or page.name not in self.code:
            return page
        return replace(page, html=self.code[page.name], in_property=False, written=True)

    def beside(self, page: Page) -> str:
        return self.code.get(page.name, "") if page.in_property and page.html.strip() else ""

    def trash_page(self, page_id: str) -> None:
        self._ask(page_id)
        self.trashed.append(page_id)
        self.pages = {name: page for name, page in self.pages.items() if page.id != page_id}

    def create_template(self, key: str, subject: str, html: str, status: str | None = None) -> None:
        self.write(key, subject, html, status or "Active")

    def fill_template(self, page_id: str, subject: str | None, html: str | None) -> None:
        key = page_id.removeprefix("page-")
        page = self.pages[key]
        texts: dict[str, Any] = {"subject": subject, "html": html}
        given = {name: text for name, text in texts.items() if text is not None}
        self.pages[key] = replace(page, **given)

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if self.fault:
            raise self.fault


class JudgeHere:
    """Judges in this process, where no test is about what a template does to its judge; each draft once, as it does."""

    # The starters are the same in a thousand tests, and to judge them all takes more than a second.
    every_test: ClassVar[dict[bytes, Verdict]] = {}

    def __init__(self) -> None:
        self.verdicts: dict[str, Verdict] = {}

    def judge(self, fingerprint: str, draft: Callable[[], Draft]) -> Verdict:
        if fingerprint not in self.verdicts:
            made = draft()
            judged = pack(draft_out(made))
            if judged not in self.every_test:
                self.every_test[judged] = _verdict(judged, made)
            self.verdicts[fingerprint] = self.every_test[judged]
        return self.verdicts[fingerprint]


def _verdict(judged: bytes, made: Draft) -> Verdict:
    """Return the verdict on a draft, which is judged by the first worker of a run to want it."""
    named = f"verdict-{sha256(judged).hexdigest()}"
    folder = once_a_run(named, lambda folder: (folder / "verdict").write_bytes(pickle.dumps(judge(made))))
    found: Verdict = pickle.loads((folder / "verdict").read_bytes())
    return found
