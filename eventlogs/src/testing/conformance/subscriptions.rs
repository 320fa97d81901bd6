//! Promises of subscriptions, for every store that keeps checkpoints.

mod failing;
mod helpers;
mod leases;
mod missed;
mod parking;
mod pausing;
mod projection;
mod registering;
mod running;
mod sharing;
mod status;
mod waiting;

pub use failing::*;
pub use helpers::Subject;
pub use leases::*;
pub use missed::*;
pub use parking::*;
pub use pausing::*;
pub use registering::*;
pub use running::*;
pub use sharing::*;
pub use status::*;
pub use waiting::*;
