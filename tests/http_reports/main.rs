//! Stored reports over HTTP: lists, filters, pages, histories, deletion, and
//! what every answer carries.

#[cfg(test)]
mod answers;
#[cfg(test)]
#[path = "../support/folder.rs"]
mod folder;
#[cfg(test)]
#[path = "../support/http.rs"]
mod http;
#[cfg(test)]
mod lasting;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod named;
#[cfg(test)]
#[path = "../support/samples.rs"]
mod samples;
#[cfg(test)]
mod stored;
