-- The devices of a report one by one, so that a page of a large report reads
-- only what it shows. `analyses.report` is the report without them from here on.

-- The device's place in its report, from 0: worst first. NULL only until the next
-- start has moved the devices of older reports here.
ALTER TABLE devices ADD COLUMN place INTEGER;

CREATE INDEX devices_by_place ON devices (analysis_id, place);

CREATE INDEX devices_by_verdict ON devices (analysis_id, verdict, place);

-- The order of the list of devices over all reports.
CREATE INDEX devices_newest ON devices (analysed_at_ns DESC, analysis_id DESC, device);

CREATE INDEX devices_without_place ON devices (analysis_id) WHERE place IS NULL;

-- Beside `devices`, so that lists and filters need not read over the parts.
CREATE TABLE device_parts (
    analysis_id BLOB NOT NULL REFERENCES analyses (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    -- the device's part of the report: JSON, compressed with zstd
    part BLOB NOT NULL,
    PRIMARY KEY (analysis_id, place)
) STRICT;
