"""The jobs over HTTP: what runs when, what ran last and what came of it."""

from __future__ import annotations

from aiohttp import web
from pydantic import AwareDatetime, Field

from server import texts
from server.handlers.api import Answer, Routes, staff
from server.keys import CLOCKS, JOB_PLANS, PROGRAMMES
from server.models.jobs import JobRun, RunStatus
from server.rules.slots import Every, Plan
from server.services import job_runs
from server.services.access import StaffRole

routes = Routes("jobs")


class RunView(Answer):
    """The latest run of a job."""

    slot: AwareDatetime = Field(description="When it was due. | 应当运行的时间。")
    status: RunStatus = Field(description="running, done, retrying or failed. | 运行状态。")
    started_at: AwareDatetime = Field(description="Server time of its latest attempt. | 开始时间。")
    finished_at: AwareDatetime | None = Field(description="Null: not yet. | 结束时间，未结束为空。")
    attempts: int = Field(description="How often it was begun. | 尝试次数。")
    count: int = Field(description="How much there was to do. | 处理数量。")
    error: str = Field(description="The kind of the last failure. | 最近一次失败的类型。")


class JobView(Answer):
    """One job, of one programme where each has its own."""

    name: str = Field(description="Its name. | 任务代码。")
    title: str = Field(description="What it does. | 任务说明。")
    programme: str = Field(description="The programme, empty: none. | 项目代码，通用任务为空。")
    schedule: str = Field(description="When it runs. | 运行时间。")
    last: RunView | None = Field(description="Its latest run. | 最近一次运行，未运行过为空。")
    next_slot: AwareDatetime = Field(
        description="When it is due next, by the clock of its programme. | 下次运行时间，按项目时钟。"
    )


class JobList(Answer):
    """Every job there is."""

    jobs: list[JobView] = Field(description="The jobs. | 任务列表。")


@routes.get(
    "/api/v1/jobs",
    summary="Which jobs are there, and how did they run? | 定时任务及其运行情况。",
    access=staff(StaffRole.OPERATOR, StaffRole.ADMINISTRATOR, StaffRole.AUDITOR),
    answers={200: JobList},
)
async def jobs(request: web.Request) -> JobList:
    slugs = sorted(programme.slug for programme in request.app[PROGRAMMES])
    plans = request.app[JOB_PLANS]
    found = await job_runs.standings(plans, slugs, request.app[CLOCKS])
    return JobList(
        jobs=[
            JobView(
                name=one.plan.name,
                title=texts.JOBS[one.plan.name],
                programme=one.programme_slug,
                schedule=_said(one.plan.plan),
                last=None if one.last is None else _run(one.last),
                next_slot=one.next_slot,
            )
            for one in found
        ]
    )


def _said(plan: Plan) -> str:
    if isinstance(plan, Every):
        return texts.JOB_EVERY.format(seconds=plan.seconds)
    return texts.JOB_DAILY.format(at=plan.at)


def _run(run: JobRun) -> RunView:
    return RunView(
        slot=run.slot,
        status=run.status,
        started_at=run.started_at,
        finished_at=run.finished_at,
        attempts=run.attempts,
        count=run.count,
        error=run.error,
    )
