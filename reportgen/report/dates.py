"""The date that documents carry."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from reportgen import words
from reportgen.errors import UsageError


def document_date(started: datetime) -> datetime:
    """Give the date that documents carry: that of their run, so that the same run gives the same bytes.

    Build systems ask for one of their own by SOURCE_DATE_EPOCH, in seconds since 1970
    (https://reproducible-builds.org/specs/source-date-epoch/). Raises UsageError for anything else there.
    """
    text = os.environ.get("SOURCE_DATE_EPOCH")
    if not text:
        return started.astimezone(UTC)
    try:
        return datetime.fromtimestamp(int(text), UTC)
    except (ValueError, OverflowError, OSError):
        raise UsageError(
            f"SOURCE_DATE_EPOCH: '{text[:40]}', expected seconds since 1970; unset it for the date of the run"
        ) from None


def written(day: datetime) -> str:
    """Write a day as the language that is spoken does: 3 March 2026."""
    if words.language() == words.ENGLISH:
        return f"{day:%d %B %Y}".lstrip("0")
    from babel.dates import format_date  # noqa: PLC0415  English needs none

    return format_date(day, "long", locale=words.locale(words.language()))
