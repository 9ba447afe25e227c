"""What the people who run the server do from its command line."""

from __future__ import annotations

from bot.settings import Settings
from handlers import words
from storage import accounts, audit, outbox, people, rights, signin
from storage.database import Database


async def invite(settings: Settings, email: str, name: str) -> list[str]:
    """A one-time link for somebody; the first of all becomes an administrator. Returns what to say."""
    database = Database(settings.dih_database_url)
    now = settings.clock()()
    try:
        await database.require_schema()
        async with database.transaction() as session:
            person = await people.find_by_email(session, email)
            id = person.id if person else await accounts.add_person(session, name=name or email, email=email.lower(), now=now)
            first = not await people.administrators(session)
            if first:
                await rights.make_administrator(session, id)
            await audit.add(session, now=now, action="people.invite", object=f"person:{id}", by=None, detail={"administrator": str(first)})
            token = await signin.add_link(session, id, now=now)
    finally:
        await database.close()
    hours = words.count(int(signin.LINK_LASTS.total_seconds() // 3600), "hour")
    made = [f"{email} is an administrator now: there was none yet."] if first else []
    return [*made, f"Give this link to {email} and nobody else. It works once, for {hours}:", f"{settings.site}/sign-in/{token}"]


async def messages(settings: Settings, requeue: int) -> list[str]:
    """What did not arrive; with a number, gives that message a new start. Returns what to say."""
    database = Database(settings.dih_database_url)
    try:
        await database.require_schema()
        if requeue:
            async with database.transaction() as session:
                done = await outbox.requeue(session, requeue, now=settings.clock()())
            return [f"Message {requeue} will be sent again." if done else f"Message {requeue} is not among those that did not arrive."]
        async with database.reading() as session:
            stuck = await outbox.list_stuck(session)
    finally:
        await database.close()
    lines = [
        f"{each.id}  {each.state.value:8}{each.kind:24}{f'person {each.person_id}' if each.person_id else each.group}  {each.reason or ''}"
        for each in stuck
    ]
    return [*lines, "To send one again, type: dih messages --requeue NUMBER"] if lines else ["Every message arrived or is on its way."]
