"""The WeChat stand-in: ``python -m standin.wechat --port 8090``, on loopback and nowhere else.

It speaks the documented endpoints that the server uses, with their odd habits: ``jscode2session``
answers JSON as ``text/plain``, errors come with status 200. Two endpoints are its own:

``POST /standin/codes {"phone_owner": "name"}``  what ``wx.login`` and ``getPhoneNumber`` give a phone:
``{"code": …, "phone_code": …}``; the same name is always the same person.

``POST /standin/faults {"path": "/sns/jscode2session", "errcode": -1, "times": 3}``  the next answers of
that endpoint are this error instead.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from server.clock import Clock, SystemClock
from standin.accounts import Accounts, Refused

DEMO_APPID = "wx-demo"
DEMO_SECRET = "demo-wechat-secret"
LOOPBACK = "127.0.0.1"
LONGEST_NAME = 64
MOST_FAULTS = 1_000

Answer = dict[str, Any]


class WechatStandIn:
    """One mini-program's WeChat; ``app`` serves it."""

    def __init__(
        self, accounts: Accounts, clock: Clock, *, appid: str = DEMO_APPID, secret: str = DEMO_SECRET
    ) -> None:
        self._accounts = accounts
        self._clock = clock
        self._appid = appid
        self._secret = secret
        self._faults: dict[str, tuple[int, int]] = {}
        self.app = web.Application(client_max_size=65_536)
        self.app.add_routes(
            [
                web.get("/sns/jscode2session", self._answering(self._jscode2session, "text/plain")),
                web.get("/cgi-bin/token", self._answering(self._token)),
                web.post("/cgi-bin/stable_token", self._answering(self._stable_token)),
                web.post("/wxa/business/getuserphonenumber", self._answering(self._phone_number)),
                web.post("/standin/codes", self._answering(self._codes)),
                web.post("/standin/faults", self._answering(self._plan_fault)),
            ]
        )

    def _answering(
        self, endpoint: Callable[[web.Request], Awaitable[Answer]], content_type: str = "application/json"
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            try:
                self._fail_as_planned(request.path)
                body = await endpoint(request)
            except Refused as refused:
                body = {"errcode": refused.errcode, "errmsg": refused.errmsg}
            return web.Response(text=json.dumps(body), content_type=content_type)

        return answer

    async def _jscode2session(self, request: web.Request) -> Answer:
        query = request.query
        self._require_app(query.get("appid", ""), query.get("secret", ""))
        if query.get("grant_type") != "authorization_code":
            raise Refused(40002, "invalid grant_type")
        if not query.get("js_code"):
            raise Refused(41008, "missing code")
        login = self._accounts.log_in(query["js_code"], self._clock.now())
        return {"session_key": login.session_key, "openid": login.openid, "unionid": login.unionid}

    async def _token(self, request: web.Request) -> Answer:
        query = request.query
        self._require_app(query.get("appid", ""), query.get("secret", ""))
        if query.get("grant_type") != "client_credential":
            raise Refused(40002, "invalid grant_type")
        token, seconds = self._accounts.new_token(self._clock.now())
        return {"access_token": token, "expires_in": seconds}

    async def _stable_token(self, request: web.Request) -> Answer:
        body = await _body(request)
        self._require_app(body.get("appid", ""), body.get("secret", ""))
        if body.get("grant_type") != "client_credential":
            raise Refused(40002, "invalid grant_type")
        force = body.get("force_refresh") is True
        token, seconds = self._accounts.stable_token(self._clock.now(), force=force)
        return {"access_token": token, "expires_in": seconds}

    async def _phone_number(self, request: web.Request) -> Answer:
        now = self._clock.now()
        token = request.query.get("access_token")
        if not token:
            raise Refused(41001, "access_token missing")
        self._accounts.require_token(token, now)
        code = (await _body(request)).get("code")
        number = self._accounts.phone_number(code if isinstance(code, str) else "", now)
        return {
            "errcode": 0,
            "errmsg": "ok",
            "phone_info": {
                "phoneNumber": number,
                "purePhoneNumber": number,
                "countryCode": "86",
                "watermark": {"timestamp": int(now.timestamp()), "appid": self._appid},
            },
        }

    async def _codes(self, request: web.Request) -> Answer:
        owner = (await _body(request)).get("phone_owner")
        if not isinstance(owner, str) or not 0 < len(owner) <= LONGEST_NAME:
            raise web.HTTPBadRequest(text=f"phone_owner must be a name of at most {LONGEST_NAME} letters")
        now = self._clock.now()
        return {
            "code": self._accounts.mint_code("login", owner, now),
            "phone_code": self._accounts.mint_code("phone", owner, now),
        }

    async def _plan_fault(self, request: web.Request) -> Answer:
        match await _body(request):
            case {"path": str(path), "errcode": int(errcode), "times": int(times)} if (
                0 < times <= MOST_FAULTS
            ):
                self._faults = {path: (errcode, times)}
                return {}
        raise web.HTTPBadRequest(text=f"path, errcode and times (1 to {MOST_FAULTS}) are needed")

    def _require_app(self, appid: object, secret: object) -> None:
        if not appid:
            raise Refused(41002, "appid missing")
        if not secret:
            raise Refused(41004, "appsecret missing")
        if appid != self._appid:
            raise Refused(40013, "invalid appid")
        if secret != self._secret:
            raise Refused(40125, "invalid appsecret")

    def _fail_as_planned(self, path: str) -> None:
        errcode, times = self._faults.get(path, (0, 0))
        if times > 0:
            self._faults[path] = errcode, times - 1
            raise Refused(errcode, "as planned")


async def _body(request: web.Request) -> Answer:
    try:
        body = json.loads(await request.read())
    except ValueError:
        raise Refused(47001, "data format error") from None
    if not isinstance(body, dict):
        raise Refused(47001, "data format error")
    return body


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m standin.wechat", description="A WeChat of our own.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--appid", default=DEMO_APPID)
    parser.add_argument("--secret", default=DEMO_SECRET)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--logins-a-minute", type=int, default=100, help="of one person, then 45011")
    chosen = parser.parse_args()
    accounts = Accounts(chosen.appid, seed=chosen.seed, logins_a_minute=chosen.logins_a_minute)
    standin = WechatStandIn(accounts, SystemClock(), appid=chosen.appid, secret=chosen.secret)
    web.run_app(standin.app, host=LOOPBACK, port=chosen.port, access_log=None, print=None)


if __name__ == "__main__":
    main()
