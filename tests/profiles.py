"""A profile in which every field says something."""

from __future__ import annotations

FULL = {
    "tone": "warm",
    "introduction": {"he": "כאן העוזר של רון", "en": "Ron's assistant here"},
    "audience": "everyone",
    "owner_numbers": ["+972501234567"],
    "holidays": {"country": "IL", "eve_hours": ["09:00-13:00"]},
    "closures": [{"first": "2026-12-20", "last": "2026-12-24", "reason": "vacation"}],
    "special_days": [{"day": "2026-12-31", "hours": ["09:00-12:00"]}],
    "quiet_hours": {"weekly": [{"begins": "friday 15:00", "ends": "saturday 20:30"}], "nightly": "21:00-08:00"},
    "reminders": {"minutes_before": [1440, 120], "note": {"en": "Bring the old key."}},
    "appointment_files": True,
    "location": {"address": "1 Herzl Street, Tel Aviv", "latitude": 32.0631, "longitude": 34.7713},
    "resources": ["chair", {"name": "room", "capacity": 2}],
    "limits": {"horizon_days": 30, "min_notice_minutes": 60, "max_appointments": 2},
    "policies": [{"title": {"he": "ביטול"}, "text": {"he": "עד יום לפני"}}],
    "knowledge": [{"title": {"en": "Parking"}, "text": {"en": "Behind the house."}}],
    "model": "gpt-large",
    "fallback_model": "gpt-small",
    "fallback_server": {"base_url": "https://models.example.com/v1", "key": "backup"},
}
