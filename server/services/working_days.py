"""Working days: the calendar that counts deadlines, read again when somebody has published a year."""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog

from server.programme.holidays import HolidayFileError, WorkingCalendar, load_working_calendar

RELOAD_SECONDS = 600.0

log = structlog.get_logger("server.working_days")


class WorkingDays:
    """The calendar of this process. Ask for ``calendar`` anew each time: a year may have come."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.calendar: WorkingCalendar = load_working_calendar(directory)

    async def reload(self) -> bool:
        """Read the files again; whether anything is different now.

        Raises ``HolidayFileError`` for a faulty file, and keeps the calendar that stood before.
        """
        loaded = await asyncio.to_thread(load_working_calendar, self._directory)
        changed = loaded != self.calendar
        self.calendar = loaded
        return changed

    async def keep_reloading(self) -> None:
        """Read the files again every ten minutes until cancelled; a faulty one is logged and left out."""
        while True:
            await asyncio.sleep(RELOAD_SECONDS)
            try:
                if await self.reload():
                    log.info("working_days.changed", years=len(self.calendar.years))
            except (HolidayFileError, OSError) as fault:
                # The calendar that stood before still counts.
                log.error("working_days.not_loaded", fault=str(fault))
