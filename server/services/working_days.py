"""Working days: the calendar that counts deadlines, read again when somebody has published a year."""

from __future__ import annotations

import asyncio
from pathlib import Path

from server.programme.holidays import WorkingCalendar, load_working_calendar


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
