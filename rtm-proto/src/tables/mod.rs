//! Tables for what comes and goes in order, as calls and quests do.

mod deadlines;
mod numbered;

pub(crate) use deadlines::Deadlines;
pub(crate) use numbered::NumberedMap;
