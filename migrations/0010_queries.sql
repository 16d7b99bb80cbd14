-- Node queries: live captures that outlive the request that asked for them.

CREATE TABLE queries (
    -- the id of the analysis, too
    id BLOB PRIMARY KEY NOT NULL,
    node TEXT NOT NULL,
    cluster TEXT,
    device TEXT NOT NULL,
    -- JSON array of all addresses that are captured
    addresses TEXT NOT NULL,
    duration_s INTEGER NOT NULL,
    -- queued, running, finished, failed or interrupted
    state TEXT NOT NULL,
    created_at_ns INTEGER NOT NULL,
    started_at_ns INTEGER,
    ended_at_ns INTEGER,
    -- why it failed or was interrupted
    message TEXT,
    -- JSON: what the agent said beside packets, for a report after a crash
    observed TEXT
) STRICT;

CREATE INDEX queries_by_device ON queries (device, created_at_ns);
CREATE INDEX queries_by_state ON queries (state, created_at_ns);

-- Alerts name devices as people do.
CREATE INDEX devices_by_name ON devices (name, analysed_at_ns);

-- Alerts that started a query lately, by Alertmanager's fingerprint.
CREATE TABLE alerts (
    fingerprint TEXT PRIMARY KEY NOT NULL,
    query_id BLOB NOT NULL,
    started_at_ns INTEGER NOT NULL
) STRICT;
