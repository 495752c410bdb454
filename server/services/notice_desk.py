"""The desk of notices: everything that is done with them, in one place for the doors and the jobs."""

from __future__ import annotations

from server.programme.public_notice_defaults import NoticeDefaults
from server.programme.review import ReviewSubject
from server.sealing import Sealer
from server.services.notice_results import NoticeResults
from server.services.objection_answers import ObjectionAnswers
from server.services.objection_files import ObjectionFiles
from server.services.objections import Objections
from server.services.public_notices import PublicNotices
from server.services.review_notices import Notices
from server.services.standing_notices import StandingNotices
from server.services.uploads import Uploads


class NoticeDesk:
    """The parts, made from what they share."""

    def __init__(self, notices: Notices, defaults: NoticeDefaults, sealer: Sealer, uploads: Uploads) -> None:
        self.notices = notices
        self.defaults = defaults
        self.results = NoticeResults(notices.reviews)
        self.drafts = PublicNotices(notices)
        self.drafts.describe(ReviewSubject.SETTLEMENT, self.results.settlement_line)
        self.standing = StandingNotices(notices, defaults)
        self.objections = Objections(notices, defaults, sealer)
        self.answers = ObjectionAnswers(self.objections)
        self.files = ObjectionFiles(self.answers, uploads)
