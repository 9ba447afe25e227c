"""The whole way on Teams with the bot as it ships: its own process, Microsoft's own addresses, HTTP in and HTTP out."""

from __future__ import annotations

from pathlib import Path

from storage import people
from storage.database import Database
from tests.conftest import SECRET_KEY
from tests.processes.serving import BotProcess, free_port
from tests.teamsdouble.teamsdouble import TeamsDouble

NEED = "What need or problem does it answer, and for whom?"


async def test_an_idea_is_shared_corrected_confirmed_and_thanked_for(tmp_path: Path, database_url: str, database: Database) -> None:
    async with database.transaction() as session:
        await people.add_organisation(session, name="University Hospitals Dorset", domains=("uhd.nhs.uk",))
    port = free_port()
    async with TeamsDouble(f"http://127.0.0.1:{port}", proxy=True) as teams:
        own = {"DIH_DATABASE_URL": database_url, "DIH_SECRET_KEYS": SECRET_KEY, "DIH_ADMINS": "head@uhd.nhs.uk"}
        vouches = {"TEAMS_ALLOWED_TENANTS": f"{teams.tenant}=uhd.nhs.uk"}
        async with BotProcess(tmp_path, {**teams.env(), **own, **vouches}, port=port):
            ann, head = teams.user("Ann Lee", "ann@uhd.nhs.uk"), teams.user("Head of Hub", "head@uhd.nhs.uk")
            for somebody in (ann, head):
                await teams.install(somebody)
                await somebody.card("Hello", timeout=10)
            await ann.says("idea")
            form = await ann.card("Share an idea", timeout=10)
            (send,) = form.actions()
            await form.fill({"Title": "Hm", NEED: "People who have fallen"}).click(send)
            assert form.errors() == ["Use 5 characters or more."]
            assert form.values()["need"] == "People who have fallen"
            await form.fill({"Title": "Sensors that notice a fall"}).click(send)
            assert "IDEA-1 is with the Core Team" in form.text
            await teams.until(lambda: "IDEA-1 is with" in str(form.message.cards), 10, "the confirmation on every device")
            thanks = await ann.card("Thank you for IDEA-1", timeout=10)
            told = await ann.click(thanks, "See your idea")
            assert told.took < 2
            idea = await ann.card("IDEA-1: Sensors that notice a fall", timeout=10)
            dialog = await ann.open_dialog(idea, "Withdraw")
            assert "The Core Team will stop looking at it" in dialog.text
            await head.card("IDEA-1", timeout=10)
        invokes = [each for each in teams.deliveries if each.activity["type"] == "invoke"]
        assert len(invokes) == 4
        assert max(each.took for each in invokes) < 2
        assert not teams.duplicates()
        teams.assert_clean()
