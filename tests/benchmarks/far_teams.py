"""A Teams that answers at once: Microsoft's sign-in, keys and Connector, behind a proxy and with TLS as in life; and counts."""

from __future__ import annotations

import argparse
import asyncio
import collections
import ssl
from pathlib import Path

from aiohttp import web

from tests.teamsdouble.teamsdouble import TeamsDouble, _certificates

COUNTS: collections.Counter[str] = collections.Counter()


async def _serve(port: int, folder: Path, delay: float) -> None:
    """Writes `token` and `ca.pem` into the folder, then serves a CONNECT proxy on the port."""
    double = TeamsDouble(proxy=True)
    double.service_url = "https://smba.trafficmanager.net/emea/"
    ca = _certificates(folder)
    (folder / "token").write_text(double.token())
    members = {}

    async def connector(request: web.Request) -> web.Response:
        COUNTS[request.method] += 1
        await request.read()
        if request.method == "GET":
            user = request.path.rpartition("/")[2]
            return web.json_response(members.setdefault(user, {"id": user, "name": "Kim Lee", "email": f"k{len(members)}@uhd.nhs.uk"}))
        if delay:
            await asyncio.sleep(delay)
        return web.json_response({"id": "1"}, status=201)

    async def count(_request: web.Request) -> web.Response:
        return web.json_response({**COUNTS, "token": len(double.token_calls)})

    app = web.Application()
    app.router.add_get("/v1/.well-known/openidconfiguration", double._openid)
    app.router.add_get("/v1/.well-known/keys", double._jwks)
    app.router.add_get("/common/discovery/instance", double._instances)
    app.router.add_get("/{tenant}/v2.0/.well-known/openid-configuration", double._authority)
    app.router.add_post("/{tenant}/oauth2/v2.0/token", double._token)
    app.router.add_get("/__count", count)
    app.router.add_route("*", "/emea/{rest:.*}", connector)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "leaf.pem")
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port + 1, ssl_context=context).start()
    await web.TCPSite(runner, "127.0.0.1", port + 2).start()

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"CONNECT"):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            writer.close()
            return
        there, back = await asyncio.open_connection("127.0.0.1", port + 1)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(pipe(reader, back), pipe(there, writer), return_exceptions=True)

    server = await asyncio.start_server(tunnel, "127.0.0.1", port)
    assert ca
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--delay", type=float, default=0)
    found = parser.parse_args()
    asyncio.run(_serve(found.port, found.folder, found.delay))
