//! Links, addresses, routes and neighbours, as the kernel has them (rtnetlink(7)).

mod links;
mod routes;

use std::collections::HashMap;
use std::net::IpAddr;

use futures_util::{Stream, StreamExt as _};
use rtnetlink::Handle;
use rtnetlink::packet_route::AddressFamily;
use rtnetlink::packet_route::route::{RouteAttribute, RouteMessage};

use self::links::{find_name, read_address, read_link};
use self::routes::{read_neighbour, read_route, table_of};
use crate::node::wire::{Link, Neighbour, Route};

/// `RT_TABLE_MAIN` of the kernel's `include/uapi/linux/rtnetlink.h`.
const MAIN_TABLE: u32 = 254;

/// Entries of one kind in one answer: a router of the internet has a million routes.
const MAX_ENTRIES: usize = 20_000;

/// Why the kernel's tables cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the kernel's routing tables cannot be asked")]
    Socket(#[source] std::io::Error),
    #[error("the kernel did not list its {0}")]
    Dump(&'static str, #[source] rtnetlink::Error),
}

/// A connection to the kernel for one answer; it ends with it.
#[derive(Debug)]
pub struct Tables {
    handle: Handle,
    connection: tokio::task::JoinHandle<()>,
    /// Names by index, for what refers to links.
    names: HashMap<u32, String>,
    pub faults: Vec<String>,
}

impl Drop for Tables {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

impl Tables {
    /// Connects to the kernel.
    ///
    /// # Errors
    ///
    /// Where no netlink socket can be opened.
    pub fn open() -> Result<Self, Error> {
        let (connection, handle, _) = rtnetlink::new_connection().map_err(Error::Socket)?;
        let connection = tokio::spawn(connection);
        Ok(Self { handle, connection, names: HashMap::new(), faults: Vec::new() })
    }

    /// All links, each with its addresses.
    ///
    /// # Errors
    ///
    /// Where the kernel refuses.
    pub async fn links(&mut self) -> Result<Vec<Link>, Error> {
        let dump = self.handle.link().get().execute();
        let messages = self.collect("links", dump).await?;
        self.names = messages
            .iter()
            .filter_map(|message| Some((message.header.index, find_name(message)?)))
            .collect();
        let mut links: Vec<Link> =
            messages.iter().filter_map(|message| read_link(message, &self.names)).collect();
        let dump = self.handle.address().get().execute();
        for message in self.collect("addresses", dump).await? {
            let link = links.iter_mut().find(|link| link.index == message.header.index);
            if let (Some(link), Some(address)) = (link, read_address(&message)) {
                link.addresses.push(address);
            }
        }
        Ok(links)
    }

    /// The routes of the main table. Call [`Self::links`] before.
    ///
    /// # Errors
    ///
    /// Where the kernel refuses.
    pub async fn routes(&mut self) -> Result<Vec<Route>, Error> {
        let mut routes = Vec::new();
        for family in [AddressFamily::Inet, AddressFamily::Inet6] {
            let mut request = RouteMessage::default();
            request.header.address_family = family;
            let dump = self.handle.route().get(request).execute();
            for message in self.collect("routes", dump).await? {
                if table_of(&message) == MAIN_TABLE {
                    read_route(&message, &self.names, &mut routes);
                }
            }
        }
        Ok(routes)
    }

    /// The way to one address, as the kernel would send now. `None` where there is none.
    pub async fn find_route_to(&self, address: IpAddr) -> Option<Route> {
        let mut request = RouteMessage::default();
        (request.header.address_family, request.header.destination_prefix_length) = match address {
            IpAddr::V4(_) => (AddressFamily::Inet, 32),
            IpAddr::V6(_) => (AddressFamily::Inet6, 128),
        };
        request.attributes.push(RouteAttribute::Destination(address.into()));
        let answer = self.handle.route().get(request).execute();
        let mut answer = std::pin::pin!(answer);
        let message = answer.next().await?.ok()?;
        let mut routes = Vec::new();
        read_route(&message, &self.names, &mut routes);
        routes.into_iter().next()
    }

    /// Neighbours of both families. Call [`Self::links`] before.
    ///
    /// # Errors
    ///
    /// Where the kernel refuses.
    pub async fn neighbours(&mut self) -> Result<Vec<Neighbour>, Error> {
        let dump = self.handle.neighbours().get().execute();
        let messages = self.collect("neighbours", dump).await?;
        Ok(messages.iter().filter_map(|message| read_neighbour(message, &self.names)).collect())
    }

    /// The entries of a dump, up to the limit.
    async fn collect<T>(
        &mut self,
        kind: &'static str,
        dump: impl Stream<Item = Result<T, rtnetlink::Error>>,
    ) -> Result<Vec<T>, Error> {
        let mut dump = std::pin::pin!(dump);
        let mut entries = Vec::new();
        while let Some(entry) = dump.next().await {
            if entries.len() == MAX_ENTRIES {
                self.faults.push(format!("of the {kind} only the first {MAX_ENTRIES} were read"));
                break;
            }
            entries.push(entry.map_err(|error| Error::Dump(kind, error))?);
        }
        Ok(entries)
    }
}
