//! The scenarios, by what they are about.

pub(crate) mod calls;
pub(crate) mod faults;
pub(crate) mod files;
pub(crate) mod history;
pub(crate) mod leaks;
pub(crate) mod leaving;
pub(crate) mod login;
pub(crate) mod losses;
pub(crate) mod messages;
pub(crate) mod peers;
pub(crate) mod plain;
pub(crate) mod vanish;
