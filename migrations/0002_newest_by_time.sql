-- Senders may choose an analysis' id, so ids no longer sort by time of creation:
-- lists and histories sort by the time itself.

CREATE INDEX analyses_by_time ON analyses (created_at_ns, id);

CREATE INDEX devices_by_device_and_time ON devices (device, analysed_at_ns, analysis_id);
DROP INDEX devices_by_device;
