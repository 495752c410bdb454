"""What journeys share: a town whose people come in through WeChat, and books that balance afterwards."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pyotp
import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer

from server.clock import SystemClock
from server.keys import CLOCK
from server.services.budgets import ledger
from standin.accounts import Accounts
from standin.wechat import DEMO_APPID, DEMO_SECRET, WechatStandIn
from tests.town import Caller, Town, a_running_town

ROOT = Path(__file__).parent.parent.parent
PASSWORD = "Correct-horse-7"


@dataclass(frozen=True)
class Journey:
    """A town, the WeChat its people sign in with, and the command line beside it."""

    town: Town
    wechat: TestServer
    database_url: str

    async def sign_in(self, phone_owner: str) -> Caller:
        """Somebody opens the mini-program on their phone."""
        url = self.wechat.make_url("/standin/codes")
        async with ClientSession() as http, http.post(url, json={"phone_owner": phone_owner}) as codes:
            code = (await codes.json())["code"]
        signed_in = await self.town.anybody.post("sessions", code=code)
        assert signed_in.status == 201, signed_in.body
        return Caller(self.town.client, signed_in.body["access_token"])

    async def operator(self, name: str = "operator1") -> Caller:
        """The first operator, made on the command line, signs in and sets an authenticator up."""
        made = await asyncio.to_thread(self._command, "staff", "create", name, "--role", "operator")
        assert made.returncode == 0, made.stderr
        signed_in = await self.town.anybody.post("staff/sessions", username=name, password=PASSWORD)
        assert signed_in.status == 201, signed_in.body
        operator = Caller(self.town.client, signed_in.body["access_token"])
        secret = (await operator.post("me/second-factor")).body["secret"]
        digits = pyotp.TOTP(secret).at(self.town.app[CLOCK].now())
        confirmed = await operator.post("me/second-factor/confirmation", totp=digits)
        assert confirmed.status == 204, confirmed.body
        return operator

    async def verified(self) -> str:
        """What ``ledger verify`` says, while the server runs."""
        done = await asyncio.to_thread(self._command, "ledger", "verify")
        assert done.returncode == 0, done.stdout
        return done.stdout.strip()

    def _command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": os.environ["PATH"],
            "QIQUAN_MODE": "test",
            "QIQUAN_DATABASE_URL": self.database_url,
            "QIQUAN_STAFF_PASSWORD": PASSWORD,
        }
        return subprocess.run(
            [sys.executable, "-m", "server", *arguments],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )


@pytest.fixture
async def journey(database_url: str, redis_url: str) -> AsyncIterator[Journey]:
    """The real server, once on each kind of database, with the WeChat stand-in for WeChat."""
    accounts = Accounts(DEMO_APPID, seed=1, logins_a_minute=100)
    wechat = {"wechat_appid": DEMO_APPID, "wechat_secret": DEMO_SECRET}
    async with TestServer(WechatStandIn(accounts, SystemClock()).app) as standin:
        address = str(standin.make_url("")).rstrip("/")
        async with a_running_town(database_url, redis_url, wechat_base_url=address, **wechat) as town:
            yield Journey(town, standin, database_url)
            # After every journey all money is where the ledger says it is.
            assert await ledger.verify() == []
