//! A database that an older version wrote: whole reports, no parts of devices.

#[cfg(test)]
#[path = "support/folder.rs"]
mod folder;
#[cfg(test)]
#[path = "support/samples.rs"]
mod samples;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use replyscope::model::report::{Device, Report};
    use replyscope::store::{DeviceFilter, Store};
    use serde_json::Value;
    use sqlx::SqlitePool;
    use sqlx::sqlite::SqliteConnectOptions;
    use uuid::Uuid;

    use super::folder::Folder;
    use super::samples::report;

    /// Two reports, the second with more devices than one statement takes.
    fn reports() -> [Report; 2] {
        let small = report(1, "192.0.2.1", "broken", "reply_ignored");
        let mut large = report(2, "192.0.2.2", "broken", "reply_ignored");
        for number in 0..1_200_u128 {
            let mut device = large.devices[0].clone();
            let first = u128::from("2001:db8::".parse::<std::net::Ipv6Addr>().unwrap());
            device.device = std::net::Ipv6Addr::from(first + number + 1).into();
            device.addresses = vec![device.device];
            device.findings.truncate(usize::from(number < 3));
            large.devices.push(device);
        }
        for finding in large.devices.iter_mut().flat_map(|device| &mut device.findings) {
            finding.documentation = finding.cause.documentation_path();
        }
        let mut small = small;
        small.devices[0].findings[0].documentation =
            small.devices[0].findings[0].cause.documentation_path();
        [small, large]
    }

    /// Rewrites the database as the first version left it.
    async fn make_old(folder: &Path, reports: &[Report]) {
        let options = SqliteConnectOptions::new().filename(folder.join("replyscope.sqlite"));
        let pool = SqlitePool::connect_with(options).await.unwrap();
        for report in reports {
            let mut json = serde_json::to_value(report).unwrap();
            json.as_object_mut().unwrap().remove("devices_omitted");
            for device in json["devices"].as_array_mut().unwrap() {
                for finding in device["findings"].as_array_mut().unwrap() {
                    finding.as_object_mut().unwrap().remove("documentation");
                }
            }
            let blob = zstd::bulk::compress(&serde_json::to_vec(&json).unwrap(), 3).unwrap();
            sqlx::query("UPDATE analyses SET report = ? WHERE id = ?")
                .bind(blob)
                .bind(report.id)
                .execute(&pool)
                .await
                .unwrap();
        }
        for statement in ["UPDATE devices SET place = NULL", "DELETE FROM device_parts"] {
            sqlx::query(statement).execute(&pool).await.unwrap();
        }
        pool.close().await;
    }

    /// All devices of a report, in its order.
    async fn devices(store: &Store, id: Uuid) -> Vec<Device> {
        let page = store.device_parts(id, &DeviceFilter::default(), None, 10_000).await.unwrap();
        assert_eq!(page.next_cursor, None);
        page.entries.iter().map(|part| part.parse(id).unwrap()).collect()
    }

    #[tokio::test]
    async fn older_reports_are_split_at_the_start() {
        let folder = Folder::new("store-upgrade");
        let reports = reports();
        let store = Store::open(folder.path(), None).await.unwrap();
        for report in &reports {
            store.save(report).await.unwrap();
        }
        store.close().await;
        drop(store);
        make_old(folder.path(), &reports).await;

        let store = Store::open(folder.path(), None).await.unwrap();
        for report in &reports {
            let frame = store.find_frame(report.id).await.unwrap().unwrap();
            let mut whole = frame.clone();
            whole.devices = devices(&store, report.id).await;
            whole.devices_omitted = 0;
            assert!(&whole == report, "{}", report.title);
            assert!(frame.devices.is_empty());
            assert_eq!(frame.devices_omitted, u64::try_from(report.devices.len()).unwrap());
            let last = report.devices.last().unwrap();
            let address = last.addresses.last().copied().unwrap();
            let device = store.find_device(report.id, address).await.unwrap();
            assert_eq!(device.as_ref(), Some(last));
            let all = DeviceFilter::default();
            let count = store.count_devices(report.id, &all).await.unwrap();
            assert_eq!(count, u64::try_from(report.devices.len()).unwrap());
        }
        store.close().await;
    }

    #[tokio::test]
    async fn places_go_on_behind_each_page() {
        let folder = Folder::new("store-places");
        let [_, large] = reports();
        let store = Store::open(folder.path(), None).await.unwrap();
        store.save(&large).await.unwrap();
        let all = DeviceFilter::default();
        let (mut after, mut places) = (None, Vec::new());
        loop {
            let page = store.device_parts(large.id, &all, after, 137).await.unwrap();
            places.extend(page.entries.iter().map(|part| part.place));
            for part in &page.entries {
                let value: Value = serde_json::from_slice(&part.json).unwrap();
                let place = usize::try_from(part.place).unwrap();
                assert_eq!(value["device"], large.devices[place].device.to_string());
            }
            after = page.next_cursor;
            if after.is_none() {
                break;
            }
        }
        assert!(places.into_iter().eq(0..1_201));
        let lines = store.device_lines(large.id, &all, 1_150, 100).await.unwrap();
        assert_eq!(lines.len(), 51);
        assert_eq!(lines[0].device, large.devices[1_150].device);
        let parts = store.device_parts_at(large.id, &[3, 1_200, 5_000]).await.unwrap();
        assert_eq!(parts.iter().map(|part| part.place).collect::<Vec<_>>(), [3, 1_200]);
        assert!(store.device_parts_at(large.id, &[]).await.unwrap().is_empty());
        store.close().await;
    }
}
