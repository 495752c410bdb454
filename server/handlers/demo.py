"""The demo's own door: signing in without any proof. Served only where ``demo_login`` is on."""

from __future__ import annotations

from aiohttp import web
from pydantic import Field

from server.handlers.api import PUBLIC, Routes
from server.handlers.parsing import Body
from server.handlers.sessions import NewSession, begun
from server.keys import CLOCK, SESSIONS
from server.services.accounts.sessions import AccountDisabled, DemoAccountUnknown, sign_in_for_demo

routes = Routes("demo")


class DemoLogin(Body):
    """One of the accounts printed at the start."""

    account: str = Field(
        min_length=1,
        max_length=64,
        description="A demo account. | 演示账号。",
        examples=["demo-operator"],
    )


@routes.post(
    "/api/v1/demo/sessions",
    summary="Sign in as a demo account. | 以演示账号登录。",
    access=PUBLIC,
    answers={201: NewSession},
    refusals=(DemoAccountUnknown, AccountDisabled),
)
async def sign_in(request: web.Request, body: DemoLogin) -> NewSession:
    signed_in = await sign_in_for_demo(
        body.account, sessions=request.app[SESSIONS], now=request.app[CLOCK].now()
    )
    return begun(signed_in)
