"""A Slack Web API that answers at once with canned words, and counts."""

from __future__ import annotations

import argparse
import asyncio
import collections
import json

COUNTS: collections.Counter[str] = collections.Counter()


def _answer(path: str, caller: str, body: bytes) -> dict[str, object]:
    method = path.rpartition("/")[2].partition("?")[0]
    COUNTS[f"{caller}{method}"] += 1
    if method == "auth.test":
        return {
            "ok": True,
            "url": "https://example.slack.com/",
            "team": "Ex",
            "user": "bot",
            "team_id": "T0001",
            "user_id": "UBOT",
            "bot_id": "BBOT",
        }
    if method == "users.info":
        found = body.partition(b"user=")[2][:10].decode() or "U000000000"
        return {"ok": True, "user": {"id": found, "team_id": "T0001", "real_name": "Kim Lee", "profile": {"email": f"{found}@example.org"}}}
    if method == "__count":
        return dict(COUNTS)
    return {"ok": True, "channel": "C1", "ts": "1503435956.000247", "view": {"id": "V1", "hash": "1"}, "message": {}}


class _Far(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.buffer = transport, b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while b"\r\n\r\n" in self.buffer:
            head, _, rest = self.buffer.partition(b"\r\n\r\n")
            low = head.lower()
            at = low.find(b"content-length:")
            length = int(low[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(rest) < length:
                return
            body, self.buffer = rest[:length], rest[length:]
            out = json.dumps(_answer(head.split(b" ", 2)[1].decode(), "DIH: " if b"xoxb-dih" in head else "bare: ", body)).encode()
            self.transport.write(  # type: ignore[attr-defined]
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(out), out)
            )


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Far, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    asyncio.run(_serve(parser.parse_args().port))
