"""A browser window without scripts: it reads pages, fills forms by their labels and presses buttons, as a person does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from urllib.parse import urljoin, urlsplit

import soupsieve
from aiohttp import ClientSession, CookieJar
from bs4 import BeautifulSoup, Tag

Pairs = list[tuple[str, str]]

soupsieve.compile("form.ask[role=alert] > li")  # its grammar takes 200 ms to build: here, not in the middle of a test

for _selector in ("form.ask", ".summary li", ".buttons .primary"):
    BeautifulSoup("<p></p>", "html.parser").select(_selector)  # compiled here, not in the middle of a test


class Window:
    """One person's window; `page` is what it shows, `status` and `headers` are the last answer's."""

    def __init__(self, site: str, home: str = "/", *, deliver: Callable[[], Awaitable[object]] | None = None) -> None:
        self.site, self.home, self._deliver = site, home, deliver
        self.http = ClientSession(cookie_jar=CookieJar(unsafe=True))
        self.page = BeautifulSoup("", "html.parser")
        self.url = f"{site}{home}"
        self.status = 0
        self.follows = True
        self.headers: Mapping[str, str] = {}
        self.landed: list[tuple[int, str]] = []
        self._sent: tuple[str, Pairs] | None = None

    async def close(self) -> None:
        """Closes the window."""
        await self.http.close()

    # -- going

    async def goes(self, path: str = "") -> None:
        """Loads a page."""
        await self._request("GET", urljoin(self.site, path or self.home), None)

    async def posts(self, path: str, fields: Pairs, headers: Mapping[str, str] | None = None) -> None:
        """Posts what a browser would not."""
        await self._request("POST", urljoin(self.site, path), fields, headers)

    async def _request(self, method: str, url: str, fields: Pairs | None, headers: Mapping[str, str] | None = None) -> None:
        async with self.http.request(method, url, data=fields, headers=headers, allow_redirects=self.follows) as answer:
            text = await answer.text()
            self.landed = [(hop.status, hop.headers["Location"]) for hop in (*answer.history, answer) if "Location" in hop.headers]
            self.status, self.headers = answer.status, answer.headers
            self.url = f"{self.site}{urlsplit(str(answer.url)).path}"
        self.page = BeautifulSoup(text, "html.parser")

    # -- reading

    @property
    def words(self) -> str:
        """All that can be read."""
        return self.page.get_text(" ", strip=True)

    def items(self, kind: str = "") -> Sequence[Tag]:
        """What was said, oldest first: all, or `mine`, `theirs`, `asks`, `told`."""
        return [item for item in self.page.find_all("article") if not kind or kind in (item.get("class") or [])]

    def newest(self, kind: str = "") -> str:
        """The words of the newest item."""
        return self.items(kind)[-1].get_text(" ", strip=True)

    @property
    def form(self) -> Tag:
        """The newest form that stands open."""
        forms = [form for form in self.page.select("form.ask") if form.find_parent("details") is None]
        assert forms, self.words
        return forms[-1]

    def field(self, label: str) -> Tag:
        """The control, or the group of controls, with this label."""
        for found in self.form.find_all(["label", "legend"]):
            if found.get_text(" ", strip=True).removesuffix(" (optional)") == label:
                control = found.parent if found.name == "legend" else self.form.find(id=str(found["for"]))
                assert isinstance(control, Tag)
                return control
        raise AssertionError(f"no field {label!r} in: {self.form.get_text(' ', strip=True)}")

    # -- filling and sending

    def fill(self, answers: Mapping[str, str]) -> None:
        """Types, chooses and ticks, by label; a choice by the label of its option."""
        for label, answer in answers.items():
            control = self.field(label)
            if control.name == "textarea":
                control.string = f"\n{answer}"
            elif control.name == "select":
                for option in control.find_all("option"):
                    del option["selected"]
                    if option.get_text(strip=True) == answer:
                        option["selected"] = ""
            elif control.name == "fieldset":
                self._tick(control, answer.split("; "))
            elif control.get("type") == "checkbox":
                self._set(control, answer == "yes")
            else:
                control["value"] = answer

    def _tick(self, group: Tag, answers: Sequence[str]) -> None:
        for box in group.find_all("input", type=["radio", "checkbox"]):
            label = group.find("label", attrs={"for": box["id"]})
            assert isinstance(label, Tag)
            self._set(box, next(label.stripped_strings) in answers)

    def _set(self, box: Tag, on: bool) -> None:
        if on:
            box["checked"] = ""
        else:
            del box["checked"]

    def fields(self, form: Tag) -> Pairs:
        """What a browser sends of a form, without its buttons."""
        pairs: Pairs = []
        for control in form.find_all(["input", "textarea", "select"]):
            name = str(control.get("name", ""))
            if control.name == "textarea":
                pairs.append((name, control.get_text().removeprefix("\n").replace("\n", "\r\n")))
            elif control.name == "select":
                options = control.find_all("option")
                chosen = next((option for option in options if option.has_attr("selected")), options[0])
                pairs.append((name, str(chosen["value"])))
            elif control.get("type") not in ("radio", "checkbox") or control.has_attr("checked"):
                pairs.append((name, str(control.get("value", ""))))
        return pairs

    def button(self, label: str) -> Tag:
        """The newest button with this label."""
        found = [button for button in self.page.find_all("button") if next(button.stripped_strings, "") == label]
        found = [button for button in found if button.find_parent(class_="shortcuts") is None] or found
        assert found, f"no button {label!r} in: {self.words}"
        return found[-1]

    async def presses(self, label: str) -> None:
        """Presses the newest button of that name, with the form around it."""
        await self._press(self.button(label))

    async def _press(self, button: Tag) -> None:
        form = button.find_parent("form")
        assert isinstance(form, Tag)
        fields = self.fields(form)
        if button.get("name"):
            fields.append((str(button["name"]), str(button.get("value", ""))))
        self._sent = (urljoin(self.url, str(button.get("formaction") or form["action"])), fields)
        await self._request("POST", *self._sent)

    async def sends_again(self) -> None:
        """The same once more, as a double click does."""
        assert self._sent is not None
        await self._request("POST", *self._sent)

    # -- as in tests.conversations.chat

    async def types(self, words: str) -> None:
        """Words in the box."""
        if self.page.find(id="text") is None:
            await self.goes()
        box = self.page.find(id="text")
        assert isinstance(box, Tag)
        box["value"] = words
        send = self.page.select_one("form.box button")
        assert send is not None
        await self._press(send)

    async def opens_form(self) -> None:
        """A form is on the page."""
        assert self.form

    async def fills(self, answers: Mapping[str, str]) -> None:
        """Fills the open form and sends it."""
        self.fill(answers)
        submit = self.form.select_one(".buttons .primary")
        assert submit is not None
        await self._press(submit)

    async def errors(self) -> Mapping[str, str]:
        """What is wrong, by label; the whole form's under ""."""
        found: dict[str, str] = {}
        for line in self.form.select(".summary li"):
            link = line.find("a")
            label = ""
            if isinstance(link, Tag):
                control = self.form.find(id=str(link["href"]).removeprefix("#"))
                assert isinstance(control, Tag)
                group = control.find_parent("fieldset")
                named = group.find("legend") if isinstance(group, Tag) else self.form.find("label", attrs={"for": control["id"]})
                assert isinstance(named, Tag)
                label = named.get_text(" ", strip=True).removesuffix(" (optional)")
            found[label] = line.get_text(" ", strip=True)
        return found

    async def typed(self, label: str) -> str:
        """What stands in a field."""
        control = self.field(label)
        if control.name == "textarea":
            return control.get_text().removeprefix("\n")
        if control.name == "select":
            chosen = control.find("option", selected=True)
            return chosen.get_text(strip=True) if isinstance(chosen, Tag) else ""
        if control.name == "fieldset":
            ticked = control.find_all("input", checked=True)
            return "; ".join(next(control.select_one(f"label[for={box['id']}]").stripped_strings) for box in ticked)  # type: ignore[union-attr]
        if control.get("type") == "checkbox":
            return "yes" if control.has_attr("checked") else ""
        return str(control.get("value", ""))

    async def sees(self, *words: str) -> str:
        """The newest of the bot's answers that shows all of these."""
        for item in reversed(self.items("theirs")[-2:]):
            shown = item.get_text(" ", strip=True)
            if all(word in shown for word in words):
                return shown
        raise AssertionError(f"{words} not in: {self.words}")

    async def is_told(self, words: str) -> str:
        """A message that the bot sent by itself."""
        for _ in range(100):
            if self._deliver is not None:
                await self._deliver()
            await self.goes()
            for item in reversed(self.items("told")):
                if words in (shown := item.get_text(" ", strip=True)):
                    return shown
            await asyncio.sleep(0.05)
        raise AssertionError(f"was not told {words!r}, but: {self.words}")

    async def was_told(self, words: str) -> int:
        """How many messages with these words came by themselves."""
        await self.goes()
        return sum(words in item.get_text(" ", strip=True) for item in self.items("told"))
