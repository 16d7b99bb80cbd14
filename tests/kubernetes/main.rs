//! Clusters through their API: a server lists and watches, and the service knows
//! what it says, and what it withholds.

#[cfg(test)]
mod cluster;
#[cfg(test)]
#[path = "../support/folder.rs"]
mod folder;
#[cfg(test)]
mod following;
#[cfg(test)]
#[path = "../support/http.rs"]
mod http;
#[cfg(test)]
#[path = "../support/kube_api.rs"]
mod kube_api;
#[cfg(test)]
mod nodes;
#[cfg(test)]
#[path = "../support/process.rs"]
mod process;
#[cfg(test)]
mod program;
#[cfg(test)]
mod uploads;
#[cfg(test)]
mod watches;
