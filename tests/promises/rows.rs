//! Row projections: the rows of a table are the fold of the events, however the feed is divided into pages.

mod domain;
mod failing;
mod folded;
mod kept;
mod parked;
mod remembered;
mod types;
