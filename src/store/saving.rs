//! Reports into rows: the frame, and each device by itself.

use std::collections::BTreeSet;
use std::net::IpAddr;

use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use uuid::Uuid;

use super::{Error, Store};
use crate::model::report::{Device, Report};

/// Reports compress some tenfold at the fast levels already.
const ZSTD_LEVEL: i32 = 3;

/// Devices of one statement. SQLite takes 32,766 values in one, and a device needs
/// eight in the widest table.
const DEVICES_AT_ONCE: usize = 500;

impl Store {
    /// Saves a report in one transaction: whole or not at all.
    ///
    /// # Errors
    ///
    /// Where the database does not take it, such as a second report of one id.
    pub async fn save(&self, report: &Report) -> Result<(), Error> {
        let captures: Vec<&str> = report.captures.iter().map(|one| one.name.as_str()).collect();
        let frame = compress(&encode_json(&report.frame())?)?;
        let mut transaction = self.pool().begin().await?;
        sqlx::query(
            "INSERT INTO analyses (id, title, created_at_ns, verdict, headline, device_count, captures, report) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(report.id)
        .bind(&report.title)
        .bind(report.created_at.as_nanoseconds())
        .bind(report.verdict.as_token())
        .bind(&report.headline)
        .bind(i64::try_from(report.devices.len()).unwrap_or(i64::MAX))
        .bind(encode(&captures)?)
        .bind(frame)
        .execute(&mut *transaction)
        .await?;
        insert_devices(&mut transaction, report).await?;
        let nodes = report.captures.iter().filter_map(|capture| capture.node.as_deref());
        let nodes = nodes.chain(report.addresses.iter().filter_map(|one| one.node.as_deref()));
        for node in nodes.collect::<BTreeSet<_>>() {
            sqlx::query("INSERT INTO analysis_nodes (analysis_id, node) VALUES (?, ?)")
                .bind(report.id)
                .bind(node)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Moves the devices of reports that an older version saved whole into rows.
    pub(super) async fn split_older_reports(&self) -> Result<(), Error> {
        let ids: Vec<Uuid> =
            sqlx::query_scalar("SELECT DISTINCT analysis_id FROM devices WHERE place IS NULL")
                .fetch_all(self.pool())
                .await?;
        for id in ids {
            // Saved whole, so it comes with its devices.
            let Some(mut report) = self.find_frame(id).await? else { continue };
            report.devices_omitted = 0;
            for finding in report.devices.iter_mut().flat_map(|device| &mut device.findings) {
                finding.documentation = finding.cause.documentation_path();
            }
            let frame = compress(&encode_json(&report.frame())?)?;
            let mut transaction = self.pool().begin().await?;
            sqlx::query("DELETE FROM devices WHERE analysis_id = ?")
                .bind(id)
                .execute(&mut *transaction)
                .await?;
            insert_devices(&mut transaction, &report).await?;
            sqlx::query("UPDATE analyses SET report = ? WHERE id = ?")
                .bind(frame)
                .bind(id)
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
            tracing::info!(%id, "moved the devices of an older report into rows");
        }
        Ok(())
    }
}

async fn insert_devices(connection: &mut SqliteConnection, report: &Report) -> Result<(), Error> {
    let mut place = 0_i64;
    for devices in report.devices.chunks(DEVICES_AT_ONCE) {
        insert_rows(connection, report, devices, place).await?;
        insert_parts(connection, report.id, devices, place).await?;
        insert_addresses(connection, report.id, devices).await?;
        insert_causes(connection, report.id, devices).await?;
        place += i64::try_from(devices.len()).unwrap_or(0);
    }
    Ok(())
}

/// What lists and filters need of each device.
async fn insert_rows(
    connection: &mut SqliteConnection,
    report: &Report,
    devices: &[Device],
    first_place: i64,
) -> Result<(), Error> {
    let mut rows = Vec::with_capacity(devices.len());
    for (place, device) in (first_place..).zip(devices) {
        let causes: Vec<_> = device.findings.iter().map(|finding| finding.cause).collect();
        rows.push((place, device, encode(&causes)?));
    }
    let mut statement = QueryBuilder::<Sqlite>::new(
        "INSERT INTO devices (analysis_id, device, name, verdict, headline, causes, analysed_at_ns, place) ",
    );
    statement.push_values(rows, |mut row, (place, device, causes)| {
        row.push_bind(report.id)
            .push_bind(device.device.to_string())
            .push_bind(device.name.as_deref())
            .push_bind(device.verdict.as_token())
            .push_bind(device.headline.as_str())
            .push_bind(causes)
            .push_bind(report.created_at.as_nanoseconds())
            .push_bind(place);
    });
    statement.build().execute(connection).await?;
    Ok(())
}

/// Each device's part of the report as JSON.
async fn insert_parts(
    connection: &mut SqliteConnection,
    id: Uuid,
    devices: &[Device],
    first_place: i64,
) -> Result<(), Error> {
    let mut compressor = zstd::bulk::Compressor::new(ZSTD_LEVEL).map_err(Error::Encode)?;
    let mut parts = Vec::with_capacity(devices.len());
    for (place, device) in (first_place..).zip(devices) {
        parts.push((place, compressor.compress(&encode_json(device)?).map_err(Error::Encode)?));
    }
    let mut statement =
        QueryBuilder::<Sqlite>::new("INSERT INTO device_parts (analysis_id, place, part) ");
    statement.push_values(parts, |mut row, (place, part)| {
        row.push_bind(id).push_bind(place).push_bind(part);
    });
    statement.build().execute(connection).await?;
    Ok(())
}

/// Every address of each device. A listed device may have many, so the pairs
/// are counted for themselves.
async fn insert_addresses(
    connection: &mut SqliteConnection,
    id: Uuid,
    devices: &[Device],
) -> Result<(), Error> {
    let pairs: Vec<(String, String)> = devices
        .iter()
        .flat_map(|device| {
            let addresses: BTreeSet<IpAddr> =
                device.addresses.iter().copied().chain([device.device]).collect();
            let device = device.device.to_string();
            addresses.into_iter().map(move |address| (device.clone(), address.to_string()))
        })
        .collect();
    insert_pairs(connection, "device_addresses (analysis_id, device, address)", id, &pairs).await
}

async fn insert_causes(
    connection: &mut SqliteConnection,
    id: Uuid,
    devices: &[Device],
) -> Result<(), Error> {
    let pairs: Vec<(String, &'static str)> = devices
        .iter()
        .flat_map(|device| {
            let causes: BTreeSet<_> =
                device.findings.iter().map(|finding| finding.cause.as_token()).collect();
            let device = device.device.to_string();
            causes.into_iter().map(move |cause| (device.clone(), cause))
        })
        .collect();
    insert_pairs(connection, "device_causes (analysis_id, device, cause)", id, &pairs).await
}

async fn insert_pairs<T: AsRef<str>>(
    connection: &mut SqliteConnection,
    table: &'static str,
    id: Uuid,
    pairs: &[(String, T)],
) -> Result<(), Error> {
    for pairs in pairs.chunks(DEVICES_AT_ONCE) {
        let mut statement = QueryBuilder::<Sqlite>::new("INSERT INTO ");
        statement.push(table).push(" ");
        statement.push_values(pairs, |mut row, (device, value)| {
            row.push_bind(id).push_bind(device.as_str()).push_bind(value.as_ref());
        });
        statement.build().execute(&mut *connection).await?;
    }
    Ok(())
}

fn compress(json: &[u8]) -> Result<Vec<u8>, Error> {
    zstd::bulk::compress(json, ZSTD_LEVEL).map_err(Error::Encode)
}

fn encode_json<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|error| Error::Encode(error.into()))
}

fn encode<T: serde::Serialize>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::Encode(error.into()))
}
