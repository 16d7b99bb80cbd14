-- Reports, and what lists, filters and histories need of them.
--
-- Ids are UUIDv7 as 16 bytes: they sort by time of creation. Times are
-- nanoseconds since 1970-01-01T00:00:00Z. Addresses are RFC 5952 text.

CREATE TABLE analyses (
    id BLOB PRIMARY KEY NOT NULL,
    title TEXT NOT NULL,
    created_at_ns INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    headline TEXT NOT NULL,
    device_count INTEGER NOT NULL,
    -- JSON array of names
    captures TEXT NOT NULL,
    -- the whole report: JSON, compressed with zstd; last, so that lists need not read it
    report BLOB NOT NULL
) STRICT;

CREATE INDEX analyses_by_verdict ON analyses (verdict, id);

CREATE TABLE devices (
    analysis_id BLOB NOT NULL REFERENCES analyses (id) ON DELETE CASCADE,
    device TEXT NOT NULL,
    name TEXT,
    verdict TEXT NOT NULL,
    headline TEXT NOT NULL,
    -- JSON array of tokens, the one that explains most first
    causes TEXT NOT NULL,
    analysed_at_ns INTEGER NOT NULL,
    PRIMARY KEY (analysis_id, device)
) STRICT;

CREATE INDEX devices_by_device ON devices (device, analysis_id);

-- Every address of a device, the one that identifies it included.
CREATE TABLE device_addresses (
    analysis_id BLOB NOT NULL,
    device TEXT NOT NULL,
    address TEXT NOT NULL,
    PRIMARY KEY (analysis_id, device, address),
    FOREIGN KEY (analysis_id, device) REFERENCES devices (analysis_id, device) ON DELETE CASCADE
) STRICT;

CREATE INDEX device_addresses_by_address ON device_addresses (address, analysis_id);

CREATE TABLE device_causes (
    analysis_id BLOB NOT NULL,
    device TEXT NOT NULL,
    cause TEXT NOT NULL,
    PRIMARY KEY (analysis_id, device, cause),
    FOREIGN KEY (analysis_id, device) REFERENCES devices (analysis_id, device) ON DELETE CASCADE
) STRICT;

CREATE INDEX device_causes_by_cause ON device_causes (cause, analysis_id);

-- Nodes that a capture or an address of the report names.
CREATE TABLE analysis_nodes (
    analysis_id BLOB NOT NULL REFERENCES analyses (id) ON DELETE CASCADE,
    node TEXT NOT NULL,
    PRIMARY KEY (analysis_id, node)
) STRICT;

CREATE INDEX analysis_nodes_by_node ON analysis_nodes (node, analysis_id);
