//! A history read page by page, against a model of the service.

mod model;
mod pages;
mod reading;
#[cfg(feature = "handle")]
mod stream;
