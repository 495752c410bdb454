"""The WeChat stand-in: ``python -m standin.wechat --port 8090``, on loopback and nowhere else.

It speaks the documented endpoints that the server uses, with their odd habits: ``jscode2session``
answers JSON as ``text/plain``, errors come with status 200. It knows two accounts, a mini-program and an
official account; what belongs to one noun stands in a module of its own (``wechat_menu``, ``wechat_media``,
``wechat_sends``, ``wechat_checks``).
These endpoints are its own:

``POST /standin/codes {"phone_owner": "name"}``  what ``wx.login`` and ``getPhoneNumber`` give a phone:
``{"code": …, "phone_code": …}``; the same name is always the same person.

``POST /standin/openids {"owner": "name"}``  what the two accounts call that person:
``{"mini": …, "official": …}``.

``POST /standin/faults {"path": "/sns/jscode2session", "errcode": -1, "times": 3}``  the next answers of
that endpoint are this error instead.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from server.clock import Clock, SystemClock
from standin.accounts import TOKEN_EXPIRED, Accounts, Refused
from standin.sms import SmsStandIn
from standin.timestamping import AnchorStandIn
from standin.wechat_checks import WechatChecks
from standin.wechat_media import WechatMedia
from standin.wechat_menu import WechatMenu
from standin.wechat_sends import WechatSends

DEMO_APPID = "wx-demo"
DEMO_SECRET = "demo-wechat-secret"
DEMO_OA_APPID = "wx-demo-official"
DEMO_OA_SECRET = "demo-wechat-official-secret"
LOOPBACK = "127.0.0.1"
LONGEST_NAME = 64
MOST_FAULTS = 1_000

Answer = dict[str, Any]


class WechatStandIn:
    """WeChat to one operator: a mini-program and an official account; ``app`` serves it."""

    def __init__(
        self,
        accounts: Accounts,
        clock: Clock,
        *,
        appid: str = DEMO_APPID,
        secret: str = DEMO_SECRET,
        official: Accounts | None = None,
    ) -> None:
        self._accounts = accounts
        self.official = official or Accounts(DEMO_OA_APPID)
        self.clock = clock
        self._appid = appid
        self._secrets = {appid: secret, DEMO_OA_APPID: DEMO_OA_SECRET}
        self._faults: dict[str, tuple[int, int]] = {}
        self.app = web.Application(client_max_size=32 * 1024 * 1024)
        self.menu, self.media, self.sends = WechatMenu(), WechatMedia(clock), WechatSends()
        self.sms = SmsStandIn()
        self.checks = WechatChecks()
        self.app.add_routes(
            [
                web.get("/sns/jscode2session", self._answering(self._jscode2session, "text/plain")),
                web.get("/cgi-bin/token", self._answering(self._token)),
                web.post("/cgi-bin/stable_token", self._answering(self._stable_token)),
                web.post("/wxa/business/getuserphonenumber", self._answering(self._phone_number)),
                web.get("/cgi-bin/user/info", self.called(self._user_info)),
                web.post("/standin/codes", self._answering(self._codes)),
                web.post("/standin/openids", self._answering(self._openids)),
                web.post("/standin/faults", self._answering(self._plan_fault)),
            ]
        )
        self.menu.add_to(self)
        self.media.add_to(self)
        self.sends.add_to(self)
        self.sms.add_to(self)
        self.checks.add_to(self)

    def called(
        self, endpoint: Callable[[web.Request, Accounts], Awaitable[Answer | web.Response]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Serve an endpoint for whoever comes with a good access token, and say whose it is."""

        async def answer(request: web.Request) -> Answer | web.Response:
            return await endpoint(request, self._caller(request))

        return self._answering(answer)

    def _answering(
        self,
        endpoint: Callable[[web.Request], Awaitable[Answer | web.Response]],
        content_type: str = "application/json",
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            body: Answer | web.Response
            try:
                self._fail_as_planned(request.path)
                body = await endpoint(request)
            except Refused as refused:
                body = {"errcode": refused.errcode, "errmsg": refused.errmsg}
            if isinstance(body, web.Response):
                return body
            return web.Response(text=json.dumps(body, ensure_ascii=False), content_type=content_type)

        return answer

    async def _jscode2session(self, request: web.Request) -> Answer:
        query = request.query
        self._require_app(query.get("appid", ""), query.get("secret", ""))
        if query.get("grant_type") != "authorization_code":
            raise Refused(40002, "invalid grant_type")
        if not query.get("js_code"):
            raise Refused(41008, "missing code")
        login = self._accounts.log_in(query["js_code"], self.clock.now())
        return {"session_key": login.session_key, "openid": login.openid, "unionid": login.unionid}

    async def _token(self, request: web.Request) -> Answer:
        query = request.query
        accounts = self._require_app(query.get("appid", ""), query.get("secret", ""))
        if query.get("grant_type") != "client_credential":
            raise Refused(40002, "invalid grant_type")
        token, seconds = accounts.new_token(self.clock.now())
        return {"access_token": token, "expires_in": seconds}

    async def _stable_token(self, request: web.Request) -> Answer:
        body = await body_of(request)
        accounts = self._require_app(body.get("appid", ""), body.get("secret", ""))
        if body.get("grant_type") != "client_credential":
            raise Refused(40002, "invalid grant_type")
        force = body.get("force_refresh") is True
        token, seconds = accounts.stable_token(self.clock.now(), force=force)
        return {"access_token": token, "expires_in": seconds}

    async def _phone_number(self, request: web.Request) -> Answer:
        now = self.clock.now()
        if self._caller(request) is not self._accounts:
            raise Refused(48001, "api unauthorized")
        code = (await body_of(request)).get("code")
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
        owner = (await body_of(request)).get("phone_owner")
        if not isinstance(owner, str) or not 0 < len(owner) <= LONGEST_NAME:
            raise web.HTTPBadRequest(text=f"phone_owner must be a name of at most {LONGEST_NAME} letters")
        now = self.clock.now()
        return {
            "code": self._accounts.mint_code("login", owner, now),
            "phone_code": self._accounts.mint_code("phone", owner, now),
        }

    async def _plan_fault(self, request: web.Request) -> Answer:
        match await body_of(request):
            case {"path": str(path), "errcode": int(errcode), "times": int(times)} if (
                0 < times <= MOST_FAULTS
            ):
                self._faults = {path: (errcode, times)}
                return {}
        raise web.HTTPBadRequest(text=f"path, errcode and times (1 to {MOST_FAULTS}) are needed")

    async def _user_info(self, request: web.Request, caller: Accounts) -> Answer:
        openid = request.query.get("openid", "")
        if not openid:
            raise Refused(40003, "invalid openid")
        unionid = caller.unionid(openid)
        known = {"subscribe": 1, "unionid": unionid, "language": "zh_CN"} if unionid else {"subscribe": 0}
        return {**known, "openid": openid}

    async def _openids(self, request: web.Request) -> Answer:
        owner = (await body_of(request)).get("owner")
        if not isinstance(owner, str) or not 0 < len(owner) <= LONGEST_NAME:
            raise web.HTTPBadRequest(text=f"owner must be a name of at most {LONGEST_NAME} letters")
        return {"mini": self._accounts.openid(owner), "official": self.official.openid(owner)}

    def _caller(self, request: web.Request) -> Accounts:
        """Whose access token came with a request: 41001, 40001 or 42001 without a good one."""
        token, now = request.query.get("access_token"), self.clock.now()
        if not token:
            raise Refused(41001, "access_token missing")
        try:
            self.official.require_token(token, now)
        except Refused as refused:
            if refused.errcode == TOKEN_EXPIRED:
                raise
            self._accounts.require_token(token, now)
            return self._accounts
        return self.official

    def _require_app(self, appid: object, secret: object) -> Accounts:
        if not appid:
            raise Refused(41002, "appid missing")
        if not secret:
            raise Refused(41004, "appsecret missing")
        if appid not in self._secrets:
            raise Refused(40013, "invalid appid")
        if secret != self._secrets[appid]:
            raise Refused(40125, "invalid appsecret")
        return self.official if appid == DEMO_OA_APPID else self._accounts

    def _fail_as_planned(self, path: str) -> None:
        errcode, times = self._faults.get(path, (0, 0))
        if times > 0:
            self._faults[path] = errcode, times - 1
            raise Refused(errcode, "as planned")


async def body_of(request: web.Request) -> Answer:
    """The JSON object that was sent, or WeChat's 47001."""
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
    parser.add_argument(
        "--tsa-ca", type=Path, help="stamp time as well; the authority's certificate goes here"
    )
    chosen = parser.parse_args()
    accounts = Accounts(chosen.appid, seed=chosen.seed, logins_a_minute=chosen.logins_a_minute)
    standin = WechatStandIn(accounts, SystemClock(), appid=chosen.appid, secret=chosen.secret)
    if chosen.tsa_ca is not None:
        anchors = AnchorStandIn()
        anchors.add_to(standin)
        anchors.stamper.publish(chosen.tsa_ca)
    web.run_app(standin.app, host=LOOPBACK, port=chosen.port, access_log=None, print=None)


if __name__ == "__main__":
    main()
