"""The store's schema, as the steps that lead to it. A step that was released is never changed: the next one mends it."""

from __future__ import annotations

MIGRATIONS = (
    """
    CREATE TABLE devices (
        device TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        first_seen_s REAL NOT NULL,
        last_seen_s REAL NOT NULL,
        reading_s REAL NOT NULL,
        last TEXT NOT NULL,             -- the last observation, JSON
        counts TEXT NOT NULL            -- packets by what became of them, JSON
    ) STRICT;
    CREATE TABLE alerts (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        device TEXT NOT NULL REFERENCES devices (device),
        kind TEXT NOT NULL CHECK (kind IN ('machine', 'sensor')),
        state TEXT NOT NULL,            -- class of the model, or sensor state
        sensor INTEGER,
        confidence_pct INTEGER,
        level INTEGER,
        threshold INTEGER,
        rms_mg REAL NOT NULL,
        peak_mg REAL,
        temperature_c REAL,
        window INTEGER,
        model_id TEXT,
        raised_s REAL NOT NULL,
        updated_s REAL NOT NULL,
        cleared_s REAL,
        repeats INTEGER NOT NULL DEFAULT 0,
        acknowledged_s REAL,
        note TEXT NOT NULL DEFAULT '',
        spectrum TEXT                   -- JSON
    ) STRICT;
    CREATE INDEX alerts_by_time ON alerts (raised_s, id);
    CREATE INDEX alerts_by_device ON alerts (device, raised_s);
    CREATE UNIQUE INDEX alerts_open ON alerts (device, kind) WHERE cleared_s IS NULL;
    CREATE TABLE alert_events (
        alert INTEGER NOT NULL REFERENCES alerts (id) ON DELETE CASCADE,
        at_s REAL NOT NULL,
        action TEXT NOT NULL,
        state TEXT NOT NULL,
        confidence_pct INTEGER,
        rms_mg REAL,
        note TEXT NOT NULL DEFAULT ''
    ) STRICT;
    CREATE INDEX alert_events_by_alert ON alert_events (alert, at_s);
    CREATE TABLE readings (
        device TEXT NOT NULL,
        at_s REAL NOT NULL,
        rms_mg REAL NOT NULL,
        peak_mg REAL,
        temperature_c REAL,
        machine_state INTEGER,
        confidence_pct INTEGER
    ) STRICT;
    CREATE INDEX readings_by_device ON readings (device, at_s);
    CREATE INDEX readings_by_time ON readings (at_s);
    """,
)
