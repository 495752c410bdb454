"""The desk of notices: everything that is done with them, in one place for the doors and the jobs."""

from __future__ import annotations

from server.programme.public_notice_defaults import NoticeDefaults
from server.programme.review import ReviewSubject
from server.sealing import Sealer
from server.services.files.uploads import Uploads
from server.services.public_notices.notice_results import NoticeResults
from server.services.public_notices.objection_answers import ObjectionAnswers
from server.services.public_notices.objection_files import ObjectionFiles
from server.services.public_notices.objections import Objections
from server.services.public_notices.public_notices import PublicNotices
from server.services.public_notices.review_notices import Notices
from server.services.public_notices.standing_notices import StandingNotices


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
